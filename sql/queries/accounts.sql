-- Accounts and the tokens that prove them.

-- name: insert_account!
INSERT INTO account (auth_id, name) VALUES (:auth_id::text, :name::text);

-- name: insert_token!
INSERT INTO api_token (sha256, account) VALUES (:sha256::bytea, :account::text);

-- name: find_token_hashes
-- Every token that is valid for an account, for a comparison in constant time.
SELECT sha256 FROM api_token WHERE account = :account::text AND revoked_at IS NULL;

-- name: find_account^
SELECT auth_id, name, created_at FROM account WHERE auth_id = :account::text;
