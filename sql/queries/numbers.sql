-- The pool of virtual numbers.

-- name: lock_numbers
-- Nobody makes a session for a party who has one of these until this transaction ends, and then
-- sees that it is a virtual number: the locks are those of lock_parties.  In the order of the locks,
-- so that no two wait crosswise.
SELECT pg_advisory_xact_lock(1, ordered.lock)
  FROM (SELECT DISTINCT hashtext(asked.number) AS lock
          FROM unnest(:numbers::text[]) AS asked (number)
         ORDER BY lock) AS ordered;

-- name: lock_account^
-- Whoever else changes what an account has, or may have, waits until this transaction ends.  No row:
-- there is no such account.
SELECT max_numbers FROM account WHERE auth_id = :account::text FOR NO KEY UPDATE;

-- name: find_addable
-- Of these, those that an account may add: granted to it, or in its pool already.  Nothing else is
-- looked at, so neither answer nor time tells anything of the others.
SELECT asked.number, pooled.number IS NOT NULL AS in_pool
  FROM unnest(:numbers::text[]) AS asked (number)
  LEFT JOIN virtual_number AS pooled
    ON pooled.number = asked.number
   AND pooled.account = :account::text
   AND pooled.state <> 'retired'
 WHERE pooled.number IS NOT NULL
    OR EXISTS (SELECT
                 FROM number_grant
                WHERE number_grant.numbers @> substr(asked.number, 2)::bigint
                  AND number_grant.account = :account::text);

-- name: count_pool$
-- How many numbers an account has in its pool.
SELECT count(*) FROM virtual_number WHERE account = :account::text AND state <> 'retired';

-- name: find_obstacles
-- Whether any of these is another account's, or granted to it, or is a party's in a live session: of
-- the account, of any other; :known_as are the forms by which callers are recognised.  What another account retired is anybody's, once no session holds a
-- pair of it.
SELECT asked.number,
       EXISTS (SELECT
                 FROM virtual_number
                WHERE virtual_number.number = asked.number
                  AND virtual_number.account <> :account::text
                  AND (virtual_number.state <> 'retired'
                       OR EXISTS (SELECT
                                    FROM route
                                   WHERE route.virtual_number = asked.number
                                     AND route.held_until > now()))) AS is_taken,
       EXISTS (SELECT
                 FROM number_grant
                WHERE number_grant.numbers @> substr(asked.number, 2)::bigint
                  AND number_grant.account <> :account::text) AS is_granted_elsewhere,
       coalesce(party.of_account, false) AS is_own_party,
       coalesce(party.of_others, false) AS is_other_party
  FROM unnest(:numbers::text[], :known_as::text[]) AS asked (number, known_as)
 CROSS JOIN LATERAL (
       SELECT bool_or(session.account = :account::text) AS of_account,
              bool_or(session.account <> :account::text) AS of_others
         FROM route
         JOIN session ON session.id = route.session
        WHERE route.party_number = asked.known_as
          AND session.closed_at IS NULL
          AND session.expires_at > now()) AS party;

-- name: list_grants
-- Lowest number first, of one account or of all.
SELECT id, account, lower(numbers) AS low, upper(numbers) - 1 AS high, country, granted_at, granted_by
  FROM number_grant
 WHERE :account::text IS NULL OR account = :account::text
 ORDER BY account, numbers;

-- name: find_other_s
-- Ranges of which other accounts hold something: granted, or in their pools.
SELECT asked.low, asked.high
  FROM unnest(:lows::bigint[], :highs::bigint[]) AS asked (low, high)
 WHERE EXISTS (SELECT
                 FROM number_grant
                WHERE number_grant.numbers && int8range(asked.low, asked.high, '[]')
                  AND number_grant.account <> :account::text)
    OR EXISTS (SELECT
                 FROM virtual_number
                WHERE substr(number, 2)::bigint BETWEEN asked.low AND asked.high
                  AND account <> :account::text
                  AND state <> 'retired');

-- name: absorb_grants^
-- Take away what an account is granted of a range already, to grant it as one; where that begins and
-- ends.
WITH absorbed AS (
    DELETE FROM number_grant
     WHERE account = :account::text
       AND numbers && int8range(:low::bigint, :high::bigint, '[]')
    RETURNING numbers
)
SELECT min(lower(numbers)) AS low, max(upper(numbers)) - 1 AS high FROM absorbed;

-- name: insert_grant!
INSERT INTO number_grant (account, numbers, country, granted_by)
VALUES (:account::text, int8range(:low::bigint, :high::bigint, '[]'), :country::text,
        :granted_by::text);

-- name: revoke_range$
-- Take a range away from what an account is granted, and leave the rest; how many grants it cut.
WITH cut AS (
    DELETE FROM number_grant
     WHERE account = :account::text
       AND numbers && int8range(:low::bigint, :high::bigint, '[]')
    RETURNING account, numbers, country, granted_at, granted_by
), rest AS (
    INSERT INTO number_grant (account, numbers, country, granted_at, granted_by)
    SELECT cut.account, part, cut.country, cut.granted_at, cut.granted_by
      FROM cut
     CROSS JOIN LATERAL unnest(int8multirange(cut.numbers)
                               - int8multirange(int8range(:low::bigint, :high::bigint, '[]')))
           AS part
)
SELECT count(*) FROM cut;

-- name: revoke_grant^
-- Take a grant away; no row if the account has none of that id.
DELETE FROM number_grant WHERE account = :account::text AND id = :id::uuid
RETURNING lower(numbers) AS low, upper(numbers) - 1 AS high;

-- name: count_pool_between$
-- How many numbers of a range an account has in its pool.
SELECT count(*)
  FROM virtual_number
 WHERE account = :account::text
   AND state <> 'retired'
   AND substr(number, 2)::bigint BETWEEN :low::bigint AND :high::bigint;

-- name: add_numbers!
-- Add numbers, or take retired ones back as if they were new.  What is in the pool stays as it is.
INSERT INTO virtual_number AS pooled
       (number, account, country, number_type, alias, trunk, region, subaccount, reserved,
        max_concurrent_calls, fallback_number, fallback_play_url, state)
SELECT asked.number, :account::text, asked.country, asked.number_type, :alias::text, :trunk::text,
       :region::text, :subaccount::text, :reserved::boolean,
       :max_concurrent_calls::integer, :fallback_number::text, :fallback_play_url::text,
       :state::text
  FROM unnest(:numbers::text[], :countries::text[], :number_types::text[])
       AS asked (number, country, number_type)
ON CONFLICT (number) DO UPDATE
   SET account = excluded.account, country = excluded.country,
       number_type = excluded.number_type, alias = excluded.alias, trunk = excluded.trunk,
       region = excluded.region, subaccount = excluded.subaccount, reserved = excluded.reserved,
       max_concurrent_calls = excluded.max_concurrent_calls,
       fallback_number = excluded.fallback_number,
       fallback_play_url = excluded.fallback_play_url, state = excluded.state, added_at = now()
 WHERE pooled.state = 'retired';

-- name: update_numbers
-- Change numbers of the pool; null leaves a thing as it is, what is empty is taken away (of
-- :subaccount: given back to the account), and 0 calls at once are any number.
UPDATE virtual_number
   SET alias = coalesce(:alias::text, alias),
       trunk = coalesce(:trunk::text, trunk),
       region = coalesce(:region::text, region),
       number_type = coalesce(:number_type::text, number_type),
       subaccount = nullif(coalesce(:subaccount::text, subaccount), ''),
       reserved = coalesce(:reserved::boolean, reserved),
       max_concurrent_calls = nullif(
           coalesce(:max_concurrent_calls::integer, max_concurrent_calls), 0),
       fallback_number = nullif(coalesce(:fallback_number::text, fallback_number), ''),
       fallback_play_url = nullif(coalesce(:fallback_play_url::text, fallback_play_url), ''),
       state = coalesce(:state::text, state)
 WHERE account = :account::text AND number = ANY(:numbers::text[]) AND state <> 'retired'
RETURNING number;

-- name: stop_giving^
-- No new session gets this number; no row if it is none of the account's.
UPDATE virtual_number
   SET state = CASE state WHEN 'active' THEN 'draining' ELSE state END
 WHERE account = :account::text AND number = :number::text
RETURNING number;

-- name: find_number^
SELECT number, alias, country, number_type, region, trunk, subaccount, reserved,
       max_concurrent_calls, fallback_number, fallback_play_url, state, added_at, live_sessions,
       (SELECT count(*)
          FROM call
         WHERE coalesce(call.shown_number, call.virtual_number) = pool_number.number
           AND call.reason IN ('blocked-as-spam', 'first-blocked-as-spam')
           AND call.ended_at > now() - interval '30 days')::integer AS blocked_calls
  FROM pool_number
 WHERE account = :account::text AND number = :number::text AND state <> 'retired';

-- name: list_numbers
-- Oldest first; those that are retired only if they are asked for.
SELECT number, alias, country, number_type, region, trunk, subaccount, reserved,
       max_concurrent_calls, fallback_number, fallback_play_url, state, added_at, live_sessions,
       (SELECT count(*)
          FROM call
         WHERE coalesce(call.shown_number, call.virtual_number) = pool_number.number
           AND call.reason IN ('blocked-as-spam', 'first-blocked-as-spam')
           AND call.ended_at > now() - interval '30 days')::integer AS blocked_calls
  FROM pool_number
 WHERE account = :account::text
   AND (:starts_with::text IS NULL OR starts_with(number, :starts_with::text))
   AND (:country::text IS NULL OR country = :country::text)
   AND (:number_type::text IS NULL OR number_type = :number_type::text)
   AND (:alias::text IS NULL OR alias = :alias::text)
   AND (:subaccount::text IS NULL OR subaccount = :subaccount::text)
   AND (:reserved::boolean IS NULL OR reserved = :reserved::boolean)
   AND CASE WHEN :state::text IS NULL THEN state <> 'retired' ELSE state = :state::text END
   AND :services::text[] <@ ARRAY['voice']  -- what each of them has
 ORDER BY added_at, number
 LIMIT :limit::integer OFFSET :offset::integer;

-- name: count_numbers$
-- The conditions of list_numbers.
SELECT count(*)
  FROM virtual_number
 WHERE account = :account::text
   AND (:starts_with::text IS NULL OR starts_with(number, :starts_with::text))
   AND (:country::text IS NULL OR country = :country::text)
   AND (:number_type::text IS NULL OR number_type = :number_type::text)
   AND (:alias::text IS NULL OR alias = :alias::text)
   AND (:subaccount::text IS NULL OR subaccount = :subaccount::text)
   AND (:reserved::boolean IS NULL OR reserved = :reserved::boolean)
   AND CASE WHEN :state::text IS NULL THEN state <> 'retired' ELSE state = :state::text END
   AND :services::text[] <@ ARRAY['voice'];
