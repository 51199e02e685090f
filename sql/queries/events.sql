-- Events: written with what they tell of, and sent until the application has them.

-- name: begin_tale^
-- Whose call it is, and what has been told of it; no row if it is no session's.  The session is
-- locked before the call is changed, as whoever ends a session and its calls does it: no two wait
-- crosswise then.
SELECT * FROM begin_tale(:call_id::uuid);

-- name: tell_of_call!
-- Write events of one call, in their order.  The session's row is what numbers them: nobody else can
-- count until this is committed.  They come as JSON: of an array of times asyncpg asks Postgres what
-- it is, in 20 ms for each new connection.
WITH counted AS (
    UPDATE session
       SET event_count = session.event_count + jsonb_array_length(:tellings::jsonb)
      FROM call
     WHERE call.id = :call_id::uuid
       AND session.id = call.session
    RETURNING session.id, session.account,
              session.event_count - jsonb_array_length(:tellings::jsonb) AS before
)
INSERT INTO event (account, session, sequence, call, name, happened_at, attributes)
SELECT counted.account, counted.id, counted.before + telling.place, :call_id::uuid, telling.name,
       telling.happened_at, telling.attributes
  FROM counted,
       ROWS FROM (jsonb_to_recordset(:tellings::jsonb)
                  AS (name text, happened_at timestamptz, attributes jsonb))
       WITH ORDINALITY AS telling (name, happened_at, attributes, place)
 ORDER BY telling.place;

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
-- The event that is due longest and is the next of its session that goes its way.  It is locked: as
-- long as this transaction lasts nobody else sends it, nor any after it; if it does not end well,
-- anybody may.
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
       AND (:only_hosts::text[] IS NULL OR host = ANY (:only_hosts::text[]))
     ORDER BY next_attempt_at
), taken AS MATERIALIZED (
    SELECT first.*
      FROM due
     CROSS JOIN LATERAL (
           SELECT event, session, host, endpoint, attempts, due_since
             FROM delivery AS mine
            WHERE state = 'pending'
              AND host = due.host
              AND next_attempt_at <= now()
              AND sequence = (  -- and not NOT EXISTS, for which Postgres may read all that wait
                  SELECT min(sequence)
                    FROM delivery AS one
                   WHERE one.session = mine.session
                     AND one.again = mine.again
                     AND one.state = 'pending'
                     AND (one.endpoint = mine.endpoint
                          OR (SELECT has_one_receiver(options)
                                FROM session
                               WHERE id = mine.session)))
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
       destination_of(event.account, event.session, taken.endpoint) AS url,
       coalesce(session.options ->> (taken.endpoint || '_method'), 'POST') AS method,
       CASE WHEN event.session IS NULL THEN 'json'
            ELSE coalesce(session.options ->> 'callback_format', 'form') END AS format,
       ARRAY(SELECT secret
               FROM signing_secret
              WHERE signing_secret.account = event.account
                AND coalesce(signing_secret.retires_at > now(), true)
              ORDER BY signing_secret.created_at DESC) AS secrets
  FROM taken
  JOIN event_report AS event ON event.id = taken.event
  LEFT JOIN session ON session.id = event.session;

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
       AND delivery.again = settled.again
       AND delivery.sequence > settled.sequence
       AND delivery.state = 'pending'
       AND (delivery.endpoint = settled.endpoint
            OR (SELECT has_one_receiver(options) FROM session WHERE id = settled.session))
)
UPDATE delivery
   SET state = :state::text,
       host = host_of(destination_of(delivery.account, delivery.session,
                                     delivery.endpoint)),  -- changed meanwhile, perhaps
       attempts = attempts + 1,
       next_attempt_at = clock_timestamp() + make_interval(secs => coalesce(:delay::float8, 0)),
       delivered_at = CASE WHEN :state::text = 'delivered' THEN clock_timestamp() END,
       last_error = :error::text
 WHERE event = :id::uuid;

-- name: replay_event^
-- Send an event once more, as if it were new, but out of its turn; no row if it is not the account's,
-- goes nowhere, or is still on its way.
UPDATE delivery
   SET state = 'pending', again = true, attempts = 0, due_since = now(), next_attempt_at = now(),
       delivered_at = NULL,
       host = host_of(destination_of(delivery.account, delivery.session, delivery.endpoint))
  FROM event
 WHERE event.id = delivery.event
   AND event.account = :account::text
   AND event.id = :id::uuid
   AND delivery.state <> 'pending'
RETURNING delivery.event, pg_notify('bridge_deliveries', '');

-- name: list_events
-- Newest first, those of one moment as they are numbered; with what became of their delivery.  Of one
-- :state those of a session alone, for all are looked at; those of an account: list_events_in.
SELECT id, account, session, sequence, name, happened_at, attributes, caller, callee,
       first_party, second_party, virtual_number, event_privacy, event_key, state, attempts,
       next_attempt_at, delivered_at, last_error
  FROM event_report
 WHERE account = :account::text
   AND (:session::uuid IS NULL OR session = :session::uuid)
   AND (:state::text IS NULL OR state = :state::text)
   AND (:after_happened::timestamptz IS NULL
        OR (happened_at, coalesce(sequence, 0), id)
           < (:after_happened::timestamptz,
              coalesce((SELECT after.sequence FROM event AS after WHERE after.id = :after_id::uuid),
                       0),
              :after_id::uuid))
 ORDER BY happened_at DESC, coalesce(sequence, 0) DESC, id DESC
 LIMIT :limit::integer;

-- name: list_events_in
-- As list_events those of an account that are in one state, however many are in another.  :state may
-- also be "none": told to nobody.
WITH after AS (
    SELECT coalesce((SELECT sequence FROM event WHERE id = :after_id::uuid), 0) AS sequence
)
SELECT report.id, report.account, report.session, report.sequence, report.name, report.happened_at,
       report.attributes, report.caller, report.callee, report.first_party, report.second_party,
       report.virtual_number, report.event_privacy, report.event_key, report.state, report.attempts,
       report.next_attempt_at, report.delivered_at, report.last_error
  FROM ((SELECT event, happened_at, sequence
           FROM delivery
          WHERE account = :account::text
            AND state = :state::text
            AND (:after_happened::timestamptz IS NULL
                 OR (happened_at, sequence, event)
                    < (:after_happened::timestamptz, (SELECT sequence FROM after), :after_id::uuid))
          ORDER BY happened_at DESC, sequence DESC, event DESC
          LIMIT :limit::integer)
         UNION ALL
        (SELECT id, happened_at, coalesce(sequence, 0)
           FROM event
          WHERE :state::text = 'none'
            AND untold
            AND account = :account::text
            AND (:after_happened::timestamptz IS NULL
                 OR (happened_at, coalesce(sequence, 0), id)
                    < (:after_happened::timestamptz, (SELECT sequence FROM after), :after_id::uuid))
          ORDER BY happened_at DESC, coalesce(sequence, 0) DESC, id DESC
          LIMIT :limit::integer)) AS found
  JOIN event_report AS report ON report.id = found.event
 ORDER BY found.happened_at DESC, found.sequence DESC, found.event DESC;

-- name: current_position$
SELECT pg_current_snapshot()::text;

-- name: read_events^
-- What was not there yet at :after, oldest first; and the position now.  Of too many, any so many.
-- Transactions are numbered anew in a database that was restored into another cluster: :after may be
-- ahead of all that there was, and so may events be, which are as old as the copy.
SELECT pg_current_snapshot()::text AS position,
       pg_snapshot_xmax(:after::text::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
           AS is_ahead,
       ARRAY(
           SELECT id
             FROM (SELECT id, session, sequence, happened_at
                     FROM event
                    WHERE account = :account::text
                      AND written_in >= pg_snapshot_xmin(:after::text::pg_snapshot)
                      AND NOT pg_visible_in_snapshot(written_in, :after::text::pg_snapshot)
                      AND pg_visible_in_snapshot(written_in, pg_current_snapshot())
                    LIMIT :too_many::integer) AS new
            -- As they happened; but those of one session as they are numbered, told late or not.
            ORDER BY max(happened_at) OVER (PARTITION BY coalesce(session, id) ORDER BY sequence),
                     session, sequence) AS ids;

-- name: find_events
-- In the order of :ids; but for those that were forgotten since.
SELECT id, account, session, sequence, name, happened_at, attributes, caller, callee,
       first_party, second_party, virtual_number, event_privacy, event_key, state, attempts,
       next_attempt_at, delivered_at, last_error
  FROM event_report
 WHERE id = ANY (:ids::uuid[])
 ORDER BY array_position(:ids::uuid[], id);

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

-- name: change_signing_secrets!
-- Whoever changes an account's begins with this: two at once take turns.
SELECT FROM account WHERE auth_id = :account::text FOR NO KEY UPDATE;

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

-- name: replay_dead^
-- Some that are dead, of one account, in the order of their sessions and numbers; how many, and the
-- last of them, behind which others may be.  No row: there are none.
WITH batch AS (
    SELECT event, session, sequence
      FROM delivery
     WHERE account = :account::text
       AND state = 'dead'
       AND (:after_session::uuid IS NULL
            OR (session, sequence) > (:after_session::uuid, :after_sequence::integer))
     ORDER BY session, sequence
     LIMIT :limit::integer
), again AS (
    UPDATE delivery
       SET state = 'pending', again = true, attempts = 0, due_since = now(), next_attempt_at = now(),
           host = host_of(destination_of(delivery.account, delivery.session, delivery.endpoint))
      FROM batch
     WHERE delivery.event = batch.event
       AND delivery.state = 'dead'
    RETURNING 1
)
SELECT (SELECT count(*) FROM again) AS count, last.session, last.sequence,
       pg_notify('bridge_deliveries', '')
  FROM (SELECT session, sequence FROM batch ORDER BY session DESC, sequence DESC LIMIT 1) AS last;

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
