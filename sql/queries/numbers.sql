-- The pool of virtual numbers.

-- name: lock_numbers
-- Nobody makes a session for a party who has one of these until this transaction ends, and then
-- sees that it is a virtual number: the locks are those of lock_parties.  In the order of the locks,
-- so that no two wait crosswise.
SELECT pg_advisory_xact_lock(1, ordered.lock)
  FROM (SELECT DISTINCT hashtext(asked.number) AS lock
          FROM unnest(:numbers::text[]) AS asked (number)
         ORDER BY lock) AS ordered;

-- name: find_obstacles
-- Whether any of these is another account's, or is a party's in a live session of anybody.  What
-- another account retired is anybody's, once no session holds a pair of it.
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
                 FROM route
                 JOIN session ON session.id = route.session
                WHERE route.party_number = asked.number
                  AND session.closed_at IS NULL
                  AND session.expires_at > now()) AS is_party
  FROM unnest(:numbers::text[]) AS asked (number);

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
