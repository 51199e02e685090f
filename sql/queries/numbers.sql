-- The pool of virtual numbers.

-- name: add_number^
-- Add a number, or take one back into service; null if it is another account's.
INSERT INTO virtual_number (number, account, alias, country, trunk)
VALUES (:number::text, :account::text, :alias::text, :country::text, :trunk::text)
ON CONFLICT (number) DO UPDATE
   SET state = 'active', alias = excluded.alias, trunk = excluded.trunk
 WHERE virtual_number.account = excluded.account
RETURNING number;

-- name: find_number^
SELECT number, alias, country, trunk, added_at
  FROM virtual_number
 WHERE account = :account::text AND number = :number::text AND state <> 'retired';

-- name: list_numbers
SELECT number, alias, country, trunk, added_at
  FROM virtual_number
 WHERE account = :account::text AND state <> 'retired'
 ORDER BY added_at, number
 LIMIT :limit::integer OFFSET :offset::integer;

-- name: count_numbers$
SELECT count(*) FROM virtual_number WHERE account = :account::text AND state <> 'retired';

-- name: remove_number^
-- Take a number out of service.  Kept for the records that name it; it takes no call from now on.
UPDATE virtual_number
   SET state = 'retired'
 WHERE account = :account::text AND number = :number::text AND state <> 'retired'
RETURNING number;
