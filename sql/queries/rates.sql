-- What calls and sessions cost.

-- name: put_rates
-- Add rates, or replace those of the same trunk, direction, prefix and day.  One row for each, telling
-- whether it is new.
INSERT INTO rate (trunk, direction, prefix, valid_from, price_per_minute, connection_fee,
                  first_seconds, next_seconds)
SELECT trunk, direction, prefix, valid_from, price_per_minute, connection_fee, first_seconds,
       next_seconds
  FROM unnest(:trunks::text[], :directions::text[], :prefixes::text[], :days::date[],
              :prices::numeric[], :fees::numeric[], :first_seconds::integer[],
              :next_seconds::integer[])
       AS given (trunk, direction, prefix, valid_from, price_per_minute, connection_fee,
                 first_seconds, next_seconds)
ON CONFLICT (trunk, direction, prefix, valid_from) DO UPDATE
   SET price_per_minute = excluded.price_per_minute,
       connection_fee = excluded.connection_fee,
       first_seconds = excluded.first_seconds,
       next_seconds = excluded.next_seconds
RETURNING (xmax = 0) AS is_new;

-- name: find_rates
-- The rate of each destination on its day, in their order, nulls where there is none: the longest of
-- its prefixes, then the latest.  Sixteen looks into the primary key, however many rates there are.
-- :wanted is JSON, for the reason that tell_of_call has.
SELECT rate.trunk, rate.direction, rate.prefix, rate.valid_from, rate.price_per_minute,
       rate.connection_fee, rate.first_seconds, rate.next_seconds
  FROM ROWS FROM (jsonb_to_recordset(:wanted::jsonb) AS (direction text, digits text, day date))
       WITH ORDINALITY AS wanted (direction, digits, day, place)
  LEFT JOIN LATERAL (
       SELECT trunk, direction, prefix, valid_from, price_per_minute, connection_fee,
              first_seconds, next_seconds
         FROM rate
        WHERE trunk = :trunk::text
          AND direction = wanted.direction
          AND prefix IN (SELECT left(wanted.digits, places) FROM generate_series(0, 15) AS places)
          AND valid_from <= wanted.day
        ORDER BY length(prefix) DESC, valid_from DESC
        LIMIT 1) AS rate ON true
 ORDER BY wanted.place;

-- name: list_rates
-- All rates, or those valid on a day; null is without that condition.
SELECT trunk, direction, prefix, valid_from, price_per_minute, connection_fee, first_seconds,
       next_seconds
  FROM rate
 WHERE (:direction::text IS NULL OR direction = :direction::text)
   AND starts_with(prefix, :prefix::text)
   AND (:day::date IS NULL
        OR valid_from = (SELECT max(same.valid_from)
                           FROM rate AS same
                          WHERE same.trunk = rate.trunk
                            AND same.direction = rate.direction
                            AND same.prefix = rate.prefix
                            AND same.valid_from <= :day::date))
 ORDER BY trunk, direction, prefix, valid_from;

-- name: set_session_fee^
-- What an account pays for each session that it makes from now on; no row if there is no such account.
UPDATE account
   SET session_fee = :fee::numeric
 WHERE auth_id = :account::text
RETURNING auth_id;
