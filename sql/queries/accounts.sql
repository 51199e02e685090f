-- Accounts and the tokens that prove them.

-- name: insert_account!
INSERT INTO account (auth_id, name) VALUES (:auth_id::text, :name::text);

-- name: find_account^
SELECT auth_id, name, created_at, countries, recording_days, max_concurrent_calls,
       max_numbers, webhooks, event_privacy, min_attestation
  FROM account
 WHERE auth_id = :account::text;

-- name: list_accounts
-- Oldest first.
SELECT auth_id, name, created_at, countries, recording_days, max_concurrent_calls,
       max_numbers, webhooks, event_privacy, min_attestation
  FROM account
 ORDER BY created_at, auth_id;

-- name: update_account!
-- Null leaves the name as it is; of :webhooks what is empty is taken away, and what is not there stays.
UPDATE account
   SET name = coalesce(:name::text, name),
       webhooks = (SELECT coalesce(jsonb_object_agg(key, value), '{}')
                     FROM jsonb_each(webhooks || :webhooks::jsonb)
                    WHERE value <> '""')
 WHERE auth_id = :account::text;

-- name: set_countries!
-- Where the account's parties may be; null for anywhere.
UPDATE account SET countries = :countries::text[] WHERE auth_id = :account::text;

-- name: set_recording_days!
-- How long the account's recordings are kept; null for ever.
UPDATE account SET recording_days = :days::integer WHERE auth_id = :account::text;

-- name: set_max_concurrent_calls!
-- How many calls of the account may be up at once; null for any number.
UPDATE account SET max_concurrent_calls = :calls::integer WHERE auth_id = :account::text;

-- name: set_max_numbers!
-- How many numbers the account may have in its pool at once; null for any number.
UPDATE account SET max_numbers = :numbers::integer WHERE auth_id = :account::text;

-- name: set_event_privacy!
-- How the account's events show the parties' numbers: full, last2, token.
UPDATE account SET event_privacy = :form::text WHERE auth_id = :account::text;

-- name: set_min_attestation!
-- How far a carrier must vouch for a party's number, where the session does not say: none, C, B, A.
UPDATE account SET min_attestation = :least::text WHERE auth_id = :account::text;

-- name: insert_token^
-- No row: there is no such account.
INSERT INTO api_token (sha256, account, name, scope)
SELECT :sha256::bytea, auth_id, :name::text, :scope::text
  FROM account
 WHERE auth_id = :account::text
RETURNING id;

-- name: find_valid_tokens
-- Every token that is valid for an account, for a comparison in constant time.
SELECT id, name, scope, sha256 FROM api_token WHERE account = :account::text AND revoked_at IS NULL;

-- name: list_tokens
-- Oldest first, those that were taken away included.
SELECT id, name, scope, created_at, revoked_at
  FROM api_token
 WHERE account = :account::text
 ORDER BY created_at, id;

-- name: revoke_token^
-- Valid for nothing from now on; no row if it was not valid.
UPDATE api_token
   SET revoked_at = now()
 WHERE account = :account::text AND id = :id::uuid AND revoked_at IS NULL
RETURNING id;
