-- Masking sessions and the routes that they hold.

-- name: find_own_numbers
-- Which of these are virtual numbers of anybody: a call to such a party would come back to us.
SELECT number FROM virtual_number WHERE number = ANY(:numbers::text[]) AND state <> 'retired';

-- name: lock_parties^
-- Whoever else makes a session for one of the two waits until this transaction ends, and then sees
-- what it took.  In the order of the locks, so that no two wait crosswise.  Only for speed: without
-- it many who ask for one party at once would try every number in vain.
SELECT pg_advisory_xact_lock(1, least(hashtext(:first_party::text), hashtext(:second_party::text))),
       pg_advisory_xact_lock(1, greatest(hashtext(:first_party::text), hashtext(:second_party::text)));

-- name: find_free_number^
-- The busiest number of the account that is free for both parties, so that few are used and many
-- stay whole; among equals the one that the two last had.  Skips :tried, whose pairs somebody else
-- took while we looked.
SELECT virtual_number.number
  FROM virtual_number
 WHERE account = :account::text
   AND state = 'active'
   AND (:country::text IS NULL OR country = :country::text)
   AND number <> ALL(:tried::text[])
   AND NOT EXISTS (
       SELECT FROM route
        WHERE route.virtual_number = virtual_number.number
          AND route.party_number IN (:first_party::text, :second_party::text)
          AND (route.held_until > now()
               OR EXISTS (SELECT FROM call
                           WHERE call.session = route.session AND call.ended_at IS NULL)))
 ORDER BY (SELECT count(*) FROM route
            WHERE route.virtual_number = virtual_number.number AND route.held_until > now()) DESC,
          EXISTS (SELECT
                    FROM route
                    JOIN session ON session.id = route.session
                   WHERE route.virtual_number = virtual_number.number
                     AND route.party_number = :first_party::text
                     AND :second_party::text IN (session.first_party, session.second_party)) DESC,
          virtual_number.number
 LIMIT 1;

-- name: insert_session!
INSERT INTO session (id, account, first_party, second_party, virtual_number, expires_at,
                     ring_timeout, call_time_limit, cooloff, options)
VALUES (:id::uuid, :account::text, :first_party::text, :second_party::text,
        :virtual_number::text, now() + make_interval(secs => :expiry::integer),
        :ring_timeout::integer, :call_time_limit::integer, :cooloff::integer, :options::jsonb);

-- name: take_route^
-- Take one (caller, virtual number) pair, from nobody or from a session that is over and has cooled
-- off.  No row means that somebody else holds it: the primary key decides, whatever was looked at
-- before.  A pair stays held while a call of its session is up.
INSERT INTO route (virtual_number, party_number, session, side, held_until)
SELECT :virtual_number::text, :party_number::text, session.id, :side::text,
       session.expires_at + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid
ON CONFLICT (virtual_number, party_number) DO UPDATE
   SET session = excluded.session, side = excluded.side, held_until = excluded.held_until
 WHERE route.held_until <= now()
   AND NOT EXISTS (SELECT FROM call WHERE call.session = route.session AND call.ended_at IS NULL)
RETURNING session;

-- name: find_session^
SELECT id, account, first_party, second_party, virtual_number, created_at, modified_at, expires_at,
       closed_at, ring_timeout, call_time_limit, cooloff, options, status, leg_count,
       billed_seconds, last_interaction_at, interactions
  FROM session_report
 WHERE account = :account::text AND id = :id::uuid;

-- name: list_sessions
-- Newest first.  Ranges hold their lower bound and not their upper one.
SELECT id, account, first_party, second_party, virtual_number, created_at, modified_at, expires_at,
       closed_at, ring_timeout, call_time_limit, cooloff, options, status, leg_count,
       billed_seconds, last_interaction_at, interactions
  FROM session_report
 WHERE account = :account::text
   AND (:first_party::text IS NULL OR first_party = :first_party::text)
   AND (:second_party::text IS NULL OR second_party = :second_party::text)
   AND (:virtual_number::text IS NULL OR virtual_number = :virtual_number::text)
   AND (:status::text IS NULL OR status = :status::text)
   AND (:created_from::timestamptz IS NULL OR created_at >= :created_from::timestamptz)
   AND (:created_to::timestamptz IS NULL OR created_at < :created_to::timestamptz)
   AND (:expires_from::timestamptz IS NULL
        OR coalesce(closed_at, expires_at) >= :expires_from::timestamptz)
   AND (:expires_to::timestamptz IS NULL
        OR coalesce(closed_at, expires_at) < :expires_to::timestamptz)
   AND (:duration_from::bigint IS NULL
        OR round(extract(epoch FROM coalesce(closed_at, expires_at) - created_at))
           >= :duration_from::bigint)
   AND (:duration_to::bigint IS NULL
        OR round(extract(epoch FROM coalesce(closed_at, expires_at) - created_at))
           < :duration_to::bigint)
 ORDER BY created_at DESC, id
 LIMIT :limit::integer OFFSET :offset::integer;

-- name: count_sessions$
-- The conditions of list_sessions.
SELECT count(*)
  FROM session_report
 WHERE account = :account::text
   AND (:first_party::text IS NULL OR first_party = :first_party::text)
   AND (:second_party::text IS NULL OR second_party = :second_party::text)
   AND (:virtual_number::text IS NULL OR virtual_number = :virtual_number::text)
   AND (:status::text IS NULL OR status = :status::text)
   AND (:created_from::timestamptz IS NULL OR created_at >= :created_from::timestamptz)
   AND (:created_to::timestamptz IS NULL OR created_at < :created_to::timestamptz)
   AND (:expires_from::timestamptz IS NULL
        OR coalesce(closed_at, expires_at) >= :expires_from::timestamptz)
   AND (:expires_to::timestamptz IS NULL
        OR coalesce(closed_at, expires_at) < :expires_to::timestamptz)
   AND (:duration_from::bigint IS NULL
        OR round(extract(epoch FROM coalesce(closed_at, expires_at) - created_at))
           >= :duration_from::bigint)
   AND (:duration_to::bigint IS NULL
        OR round(extract(epoch FROM coalesce(closed_at, expires_at) - created_at))
           < :duration_to::bigint);

-- name: update_session^
-- Change a live session; null leaves a thing as it is.  The lifetime counts from now.  No row if the
-- session is over or not this account's.
UPDATE session
   SET modified_at = now(),
       expires_at = CASE WHEN :expiry::integer IS NULL THEN expires_at
                         ELSE now() + make_interval(secs => :expiry::integer) END,
       ring_timeout = coalesce(:ring_timeout::integer, ring_timeout),
       call_time_limit = coalesce(:call_time_limit::integer, call_time_limit),
       options = options || :options::jsonb
 WHERE account = :account::text AND id = :id::uuid AND closed_at IS NULL AND expires_at > now()
RETURNING id;

-- name: hold_routes
-- Hold a session's pairs for as long as it now lives, and cools off.
UPDATE route
   SET held_until = session.expires_at + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid AND route.session = session.id
RETURNING route.party_number;

-- name: close_session^
-- End a session before its time; no row if it is over already or not this account's.
UPDATE session
   SET closed_at = now(), modified_at = now()
 WHERE account = :account::text AND id = :id::uuid AND closed_at IS NULL AND expires_at > now()
RETURNING id;

-- name: release_routes!
-- The pairs of a session that was closed now rest for its cool-off period, and are free then.
UPDATE route
   SET held_until = now() + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid AND route.session = session.id AND route.held_until > now();

-- name: find_creation^
-- The session that a create request made when it was first sent.
SELECT session, fingerprint
  FROM creation
 WHERE account = :account::text AND key = :key::text AND valid_until > now();

-- name: record_creation^
-- Remember what a create request makes.  No row: the same request was faster; waits for it.
INSERT INTO creation (account, key, fingerprint, session, valid_until)
VALUES (:account::text, :key::text, :fingerprint::bytea, :session::uuid,
        now() + make_interval(secs => :seconds::integer))
ON CONFLICT (account, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, session = excluded.session,
       valid_until = excluded.valid_until
 WHERE creation.valid_until <= now()
RETURNING session;

-- name: forget_repeats!
-- Whoever ends a session and asks for the same again means a new one.
UPDATE creation
   SET valid_until = now()
 WHERE session = :session::uuid AND key LIKE 'repeat:%' AND valid_until > now();
