-- Events: written with what they tell of, and sent until the application has them.

-- name: begin_tale^
-- Whose call it is, and what has been told of it; no row if it is no session's.  The session is
-- locked before the call is changed, as whoever ends a session and its calls does it: no two wait
-- crosswise then.
SELECT session.id AS session, session.account, call.caller_side,
       ARRAY(SELECT event.name FROM event WHERE event.call = call.id) AS told,
       coalesce(session.options ->> 'callback_events' = 'all', false) AS tells_all,
       CASE WHEN call.origin = 'inbound' THEN call.started_at END AS landed_at
  FROM call
  JOIN session ON session.id = call.session
 WHERE call.id = :call_id::uuid
   FOR NO KEY UPDATE OF session;

-- name: tell_of_call!
-- Write events of one call, in their order.  The session's row is what numbers them: nobody else
-- can count until this is committed.
WITH telling AS (
    SELECT name, happened_at, attributes, place
      FROM unnest(:names::text[], :times::timestamptz[], :attributes::jsonb[])
           WITH ORDINALITY AS one (name, happened_at, attributes, place)
), counted AS (
    UPDATE session
       SET event_count = session.event_count + (SELECT count(*) FROM telling)
      FROM call
     WHERE call.id = :call_id::uuid
       AND session.id = call.session
    RETURNING session.id, session.account,
              session.event_count - (SELECT count(*) FROM telling) AS before
)
INSERT INTO event (account, session, sequence, call, name, happened_at, attributes)
SELECT counted.account, counted.id, counted.before + telling.place, :call_id::uuid, telling.name,
       telling.happened_at, telling.attributes
  FROM counted, telling
 ORDER BY telling.place
ON CONFLICT DO NOTHING;

-- name: tell_of_pin!
-- Write what came of a caller's PIN, once for each try, for the session that asked: the call itself
-- is nobody's until a PIN was right.
WITH counted AS (
    UPDATE session
       SET event_count = session.event_count + 1
     WHERE session.id = :session::uuid
       AND NOT EXISTS (SELECT FROM event
                        WHERE event.call = :call_id::uuid
                          AND event.name = :name::text
                          AND event.attributes ->> 'PinRetryCounter'
                              IS NOT DISTINCT FROM :attributes::jsonb ->> 'PinRetryCounter')
    RETURNING id, account, event_count
)
INSERT INTO event (account, session, sequence, call, name, happened_at, attributes)
SELECT account, id, event_count, :call_id::uuid, :name::text, :happened_at::timestamptz,
       :attributes::jsonb
  FROM counted;

-- name: take_delivery^
-- The event that is due longest and is the next of its session.  It is locked: as long as this
-- transaction lasts nobody else sends it, nor any after it; if it does not end well, anybody may.
-- A process whose machine is gone says nothing: after 90 s, more than any request takes, it is taken
-- for that.
-- From host to host, one look into the index for each: what waits for a host that is slow or away, a
-- million events perhaps, is not looked through for what waits for another.
WITH RECURSIVE waiting AS (
    (SELECT host, next_attempt_at
       FROM delivery
      WHERE state = 'pending'
      ORDER BY host, next_attempt_at
      LIMIT 1)
     UNION ALL
    SELECT other.host, other.next_attempt_at
      FROM waiting
     CROSS JOIN LATERAL (
           SELECT host, next_attempt_at
             FROM delivery
            WHERE state = 'pending' AND host > waiting.host
            ORDER BY host, next_attempt_at
            LIMIT 1) AS other
), due AS (
    SELECT host
      FROM waiting
     WHERE next_attempt_at <= now()
       AND host <> ALL (:busy_hosts::text[])
     ORDER BY next_attempt_at
), taken AS MATERIALIZED (
    SELECT first.*
      FROM due
     CROSS JOIN LATERAL (
           SELECT event, session, host, attempts, due_since
             FROM delivery AS mine
            WHERE state = 'pending'
              AND host = due.host
              AND next_attempt_at <= now()
              AND sequence = (  -- and not NOT EXISTS, for which Postgres may read all that wait
                  SELECT min(sequence)
                    FROM delivery AS one
                   WHERE one.session = mine.session
                     AND one.state = 'pending')
            ORDER BY next_attempt_at
            LIMIT 1
              FOR UPDATE SKIP LOCKED) AS first
     LIMIT 1
)
SELECT set_config('idle_in_transaction_session_timeout', '90s', true) AS gone_after,
       taken.host, taken.attempts,
       extract(epoch FROM now() - taken.due_since)::float8 AS age,
       event.id, event.account, event.session, event.sequence, event.name, event.happened_at,
       event.attributes, event.caller, event.callee, event.first_party, event.second_party,
       event.virtual_number, event.event_privacy, event.event_key,
       session.options ->> (endpoint.kind || '_url') AS url,
       coalesce(session.options ->> (endpoint.kind || '_method'), 'POST') AS method,
       coalesce(session.options ->> 'callback_format', 'form') AS format,
       ARRAY(SELECT secret
               FROM signing_secret
              WHERE signing_secret.account = event.account
                AND coalesce(signing_secret.retires_at > now(), true)
              ORDER BY signing_secret.created_at DESC) AS secrets
  FROM taken
  JOIN event_report AS event ON event.id = taken.event
  JOIN session ON session.id = taken.session
 CROSS JOIN LATERAL (
       SELECT CASE WHEN event.name LIKE 'SessionRecording%' THEN 'recording_callback'
                   ELSE 'callback' END AS kind) AS endpoint;

-- name: settle_delivery!
-- What came of an attempt; :delay is null unless there is to be another.  Those behind it wait as
-- long, or no longer: it is a hint alone, so that whoever looks for what is due need not see them.
WITH behind AS (
    UPDATE delivery
       SET next_attempt_at = clock_timestamp()
                             + make_interval(secs => coalesce(:delay::float8, 0))
      FROM delivery AS settled
     WHERE settled.event = :id::uuid
       AND delivery.session = settled.session
       AND delivery.sequence > settled.sequence
       AND delivery.state = 'pending'
)
UPDATE delivery
   SET state = :state::text,
       attempts = attempts + 1,
       next_attempt_at = clock_timestamp() + make_interval(secs => coalesce(:delay::float8, 0)),
       delivered_at = CASE WHEN :state::text = 'delivered' THEN clock_timestamp() END,
       last_error = :error::text
 WHERE event = :id::uuid;

-- name: replay_event^
-- Send an event once more, as if it were new; no row if it is not the account's, goes nowhere, or is
-- still on its way.
UPDATE delivery
   SET state = 'pending', attempts = 0, due_since = now(), next_attempt_at = now(),
       delivered_at = NULL
  FROM event
 WHERE event.id = delivery.event
   AND event.account = :account::text
   AND event.id = :id::uuid
   AND delivery.state <> 'pending'
RETURNING delivery.event, pg_notify('bridge_events', '');

-- name: list_events
-- Newest first, with what became of their delivery.  :state may also be "none": told to nobody.
SELECT id, account, session, sequence, name, happened_at, attributes, caller, callee,
       first_party, second_party, virtual_number, event_privacy, event_key, state, attempts,
       next_attempt_at, delivered_at, last_error
  FROM event_report
 WHERE account = :account::text
   AND (:session::uuid IS NULL OR session = :session::uuid)
   AND (:state::text IS NULL OR state = :state::text)
   AND (:after_happened::timestamptz IS NULL
        OR (happened_at, id) < (:after_happened::timestamptz, :after_id::uuid))
 ORDER BY happened_at DESC, id DESC
 LIMIT :limit::integer;

-- name: current_position$
SELECT pg_current_snapshot()::text;

-- name: read_events
-- What was not there yet at :after, oldest first; and the position, also if there is nothing else.
SELECT pg_current_snapshot()::text AS position,
       id, account, session, sequence, name, happened_at, attributes, caller, callee,
       first_party, second_party, virtual_number, event_privacy, event_key, state, attempts,
       next_attempt_at, delivered_at, last_error
  FROM (SELECT) AS one
  LEFT JOIN event_report
    ON account = :account::text
   AND written_in >= pg_snapshot_xmin(:after::text::pg_snapshot)
   AND NOT pg_visible_in_snapshot(written_in, :after::text::pg_snapshot)
 -- As they happened; but those of one session as they are numbered, told late or not.
 ORDER BY max(happened_at) OVER (PARTITION BY session ORDER BY sequence), session, sequence
 LIMIT :limit::integer;

-- name: give_up_deliveries$
-- What has been on its way for so many days is dead; how many.
WITH old AS (
    SELECT event
      FROM delivery
     WHERE state = 'pending'
       AND due_since < now() - make_interval(days => :days::integer)
     ORDER BY due_since
     LIMIT :limit::integer
       FOR UPDATE SKIP LOCKED
), given_up AS (
    UPDATE delivery
       SET state = 'dead', last_error = coalesce(delivery.last_error, 'too-old')
      FROM old
     WHERE delivery.event = old.event
    RETURNING delivery.event
)
SELECT count(*) FROM given_up;

-- name: remove_old_events$
-- Forget events older than so many days, unless they are still on their way; how many.
WITH old AS (
    SELECT event.id
      FROM event
     WHERE event.happened_at < now() - make_interval(days => :days::integer)
       AND NOT EXISTS (SELECT FROM delivery
                        WHERE delivery.event = event.id AND delivery.state = 'pending')
     ORDER BY event.happened_at
     LIMIT :limit::integer
       FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM event USING old WHERE event.id = old.id RETURNING event.id
)
SELECT count(*) FROM removed;

-- name: list_signing_secrets
-- Those that events are signed with now, the one that stays first.
SELECT secret, created_at, retires_at
  FROM signing_secret
 WHERE account = :account::text
   AND coalesce(retires_at > now(), true)
 ORDER BY retires_at DESC NULLS FIRST;

-- name: retire_signing_secret!
-- The account's secret stays valid for so long; one that was retiring already does not.
WITH retired AS (
    DELETE FROM signing_secret WHERE account = :account::text AND retires_at IS NOT NULL
)
UPDATE signing_secret
   SET retires_at = now() + make_interval(secs => :seconds::integer)
 WHERE account = :account::text AND retires_at IS NULL;

-- name: add_signing_secret!
INSERT INTO signing_secret (account) VALUES (:account::text);

-- name: replay_dead$
-- All that are dead, of one account; how many.
WITH again AS (
    UPDATE delivery
       SET state = 'pending', attempts = 0, due_since = now(), next_attempt_at = now()
      FROM event
     WHERE event.id = delivery.event
       AND event.account = :account::text
       AND delivery.state = 'dead'
    RETURNING 1
)
SELECT count(*) FROM again, pg_notify('bridge_events', '');

-- name: has_event$
SELECT EXISTS (SELECT FROM event WHERE account = :account::text AND id = :id::uuid);

-- name: has_session$
SELECT EXISTS (SELECT FROM session WHERE account = :account::text AND id = :id::uuid);

-- name: note_reveal^
-- Write down that somebody is shown the numbers of an event; no row if it is not the account's.
INSERT INTO reveal (account, event, event_name, session, actor, reason)
SELECT account, id, name, session, :actor::text, :reason::text
  FROM event
 WHERE account = :account::text AND id = :id::uuid
RETURNING id, event, event_name, session, actor, reason, revealed_at;

-- name: find_event^
SELECT id, account, session, sequence, name, happened_at, attributes, caller, callee,
       first_party, second_party, virtual_number, event_privacy, event_key
  FROM event_report
 WHERE account = :account::text AND id = :id::uuid;

-- name: list_reveals
-- Newest first.
SELECT id, event, event_name, session, actor, reason, revealed_at
  FROM reveal
 WHERE account = :account::text
   AND (:after_revealed::timestamptz IS NULL
        OR (revealed_at, id) < (:after_revealed::timestamptz, :after_id::uuid))
 ORDER BY revealed_at DESC, id DESC
 LIMIT :limit::integer;
