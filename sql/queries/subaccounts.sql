-- Parts of an account.  One that was removed is kept for the sessions that name it, and not shown.

-- name: insert_subaccount!
INSERT INTO subaccount (auth_id, account, name, enabled)
VALUES (:auth_id::text, :account::text, :name::text, :enabled::boolean);

-- name: find_subaccount^
SELECT auth_id, account, name, enabled, created_at, modified_at
  FROM subaccount
 WHERE account = :account::text AND auth_id = :auth_id::text AND removed_at IS NULL;

-- name: list_subaccounts
-- Oldest first.
SELECT auth_id, account, name, enabled, created_at, modified_at
  FROM subaccount
 WHERE account = :account::text AND removed_at IS NULL
 ORDER BY created_at, auth_id
 LIMIT :limit::integer OFFSET :offset::integer;

-- name: count_subaccounts$
SELECT count(*) FROM subaccount WHERE account = :account::text AND removed_at IS NULL;

-- name: update_subaccount^
-- Change what is given; null leaves a thing as it is.
UPDATE subaccount
   SET name = coalesce(:name::text, name),
       enabled = coalesce(:enabled::boolean, enabled),
       modified_at = now()
 WHERE account = :account::text AND auth_id = :auth_id::text AND removed_at IS NULL
RETURNING auth_id;

-- name: keep_subaccount^
-- Whether there is such a subaccount; there will be until this transaction ends.
SELECT auth_id, enabled
  FROM subaccount
 WHERE account = :account::text AND auth_id = :auth_id::text AND removed_at IS NULL
   FOR SHARE;

-- name: lock_subaccount^
-- Nobody gives a number to it, or makes a session of it, until this transaction ends.
SELECT auth_id
  FROM subaccount
 WHERE account = :account::text AND auth_id = :auth_id::text AND removed_at IS NULL
   FOR UPDATE;

-- name: has_live_sessions$
SELECT EXISTS (SELECT
                 FROM session
                WHERE account = :account::text
                  AND subaccount = :subaccount::text
                  AND closed_at IS NULL
                  AND expires_at > now());

-- name: remove_subaccount!
UPDATE subaccount SET removed_at = now() WHERE auth_id = :auth_id::text;

-- name: take_numbers_back!
-- The numbers of a subaccount are the account's again, or retired with it.
UPDATE virtual_number
   SET subaccount = NULL,
       state = CASE WHEN :retire::boolean THEN 'retired' ELSE state END
 WHERE account = :account::text AND subaccount = :subaccount::text;
