-- Masking sessions and the routes that they hold.

-- name: find_facts^
-- What must be known to judge a request for a session: of :numbers, those that are virtual numbers
-- of anybody (a call to such a party would come back to us); where parties may be; where the account
-- is at home, if that is asked; and whether the subaccount may make sessions.
SELECT array(SELECT number::text FROM virtual_number
              WHERE number = ANY(:numbers::text[]) AND state <> 'retired') AS own_numbers,
       countries,
       CASE WHEN :at_home::boolean THEN
            array(SELECT country FROM number_grant
                   WHERE number_grant.account = account.auth_id
                   UNION
                  SELECT unnest(countries)) END AS home_countries,
       array(SELECT subaccount.auth_id FROM subaccount
              WHERE subaccount.account = account.auth_id
                AND subaccount.auth_id = :subaccount::text
                AND enabled
                AND removed_at IS NULL) AS subaccounts
  FROM account
 WHERE account.auth_id = :account::text;

-- name: lock_parties$
-- Whoever else makes a session for one of these waits until this transaction ends, and then sees
-- what it took.  In the order of the locks, so that no two wait crosswise.  Only for speed: without
-- it many who ask for one party at once would try every number in vain.
SELECT count(pg_advisory_xact_lock(1, key))
  FROM (SELECT DISTINCT hashtext(party) AS key
          FROM unnest(:parties::text[]) AS party
         ORDER BY key) AS keys;

-- name: any_is_virtual$
-- Whether one of these has become a virtual number; after the locks, which adding a number takes too.
SELECT EXISTS (SELECT FROM virtual_number
                WHERE number = ANY(:numbers::text[]) AND state <> 'retired');

-- name: find_free_number^
-- The busiest number that is free for all :parties, so that few are used and many stay whole; among
-- equals the one that :one and :other last had.  From 32 pairs on all count as equally busy, so that
-- looking takes no longer the more there are.  Also says how many are free.
-- :pins must be free on it.  Strangers are asked for a PIN or reach the one session that takes anybody, not both.
-- What :session holds itself is no obstacle: it may come back to a number that it had.
SELECT virtual_number.number, count(*) OVER () AS free
  FROM virtual_number
 WHERE account = :account::text
   AND state = 'active'
   AND subaccount IS NOT DISTINCT FROM :subaccount::text
   AND (:country::text IS NULL OR country = :country::text)
   AND CASE WHEN :named::text IS NULL THEN NOT reserved ELSE number = :named::text END
   AND NOT EXISTS (
       SELECT FROM route
        WHERE route.virtual_number = virtual_number.number
          AND route.party_number = ANY(:parties::text[])
          AND route.session IS DISTINCT FROM :session::uuid
          AND (route.held_until > now()
               OR EXISTS (SELECT FROM call
                           WHERE call.session = route.session AND call.ended_at IS NULL)))
   AND NOT (:for_anybody::boolean AND EXISTS (
       SELECT FROM open_route
        WHERE open_route.virtual_number = virtual_number.number
          AND open_route.session IS DISTINCT FROM :session::uuid
          AND (open_route.held_until > now()
               OR EXISTS (SELECT FROM call
                           WHERE call.session = open_route.session AND call.ended_at IS NULL))))
   AND NOT (:for_anybody::boolean AND EXISTS (
       SELECT FROM pin
        WHERE pin.virtual_number = virtual_number.number
          AND pin.session IS DISTINCT FROM :session::uuid
          AND pin.held_until > now()))
   AND NOT (:with_pin::boolean AND EXISTS (
       SELECT FROM open_route
        WHERE open_route.virtual_number = virtual_number.number
          AND open_route.session IS DISTINCT FROM :session::uuid
          AND open_route.held_until > now()))
   AND NOT EXISTS (
       SELECT FROM held_pin
        WHERE held_pin.virtual_number = virtual_number.number
          AND held_pin.session IS DISTINCT FROM :session::uuid
          AND held_pin.pin = ANY(:pins::text[]))
 ORDER BY (SELECT count(*)
             FROM (SELECT FROM route
                    WHERE route.virtual_number = virtual_number.number
                      AND route.held_until > now()
                    ORDER BY route.held_until
                    LIMIT 32) AS held) DESC,
          EXISTS (SELECT
                    FROM route
                    JOIN session ON session.id = route.session
                   WHERE route.virtual_number = virtual_number.number
                     AND route.party_number = :one::text
                     AND :other::text IN (session.first_party, session.second_party)) DESC,
          virtual_number.number
 LIMIT 1;

-- name: count_stock^
-- Where the numbers are that could not be had: each line out of the one before.
SELECT count(*) AS in_pool,
       count(*) FILTER (WHERE usable) AS active,
       count(*) FILTER (WHERE usable AND fits) AS of_country,
       count(*) FILTER (WHERE usable AND fits AND NOT EXISTS (
           SELECT
             FROM (SELECT session FROM route
                    WHERE virtual_number = number AND party_number = ANY(:parties::text[])
                    UNION ALL
                   SELECT session FROM open_route
                    WHERE virtual_number = number AND (:for_anybody::boolean OR :with_pin::boolean)
                    UNION ALL
                   SELECT session FROM pin
                    WHERE virtual_number = number AND :for_anybody::boolean) AS holder
             JOIN session ON session.id = holder.session
            WHERE ((session.closed_at IS NULL AND session.expires_at > now())
                   OR EXISTS (SELECT FROM call
                               WHERE call.session = session.id AND call.ended_at IS NULL)))
       ) AS cooling_off
  FROM (SELECT number,
               state = 'active' AND (NOT reserved OR number = :named::text) AS usable,
               :country::text IS NULL OR country = :country::text AS fits
          FROM virtual_number
         WHERE account = :account::text
           AND subaccount IS NOT DISTINCT FROM :subaccount::text
           AND state <> 'retired'
           AND (:named::text IS NULL OR number = :named::text)) AS pool;

-- name: insert_session!
INSERT INTO session (id, account, first_party, second_party, first_party_alternates,
                     second_party_alternates, virtual_number, second_virtual_number, single_party,
                     subaccount, direction, valid_from, expires_at, expiry_after_last_call,
                     ring_timeout, call_time_limit, max_calls, max_total_duration,
                     client_reference_id, metadata, cooloff, options, amount)
VALUES (:id::uuid, :account::text, :first_party::text, :second_party::text,
        :first_party_alternates::text[], :second_party_alternates::text[], :virtual_number::text,
        :second_virtual_number::text, :single_party::boolean, :subaccount::text, :direction::text,
        :valid_from::timestamptz,
        greatest(now(), :valid_from::timestamptz) + make_interval(secs => :expiry::integer),
        :expiry_after_last_call::integer, :ring_timeout::integer, :call_time_limit::integer,
        :max_calls::integer, :max_total_duration::integer, :client_reference_id::text,
        :metadata::jsonb, :cooloff::integer, :options::jsonb,
        (SELECT session_fee FROM account WHERE auth_id = :account::text));

-- name: take_route^
-- Take one (caller, virtual number) pair, from nobody or from a session that is over and has cooled
-- off.  No row means that somebody else holds it: the primary key decides, whatever was looked at
-- before.  A pair stays held while a call of its session is up.  What is the session's own already
-- (a caller's whom it remembers) is its own still.
INSERT INTO route (virtual_number, party_number, session, side, held_until)
SELECT :virtual_number::text, :party_number::text, session.id, :side::text,
       session.expires_at + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid
ON CONFLICT (virtual_number, party_number) DO UPDATE
   SET session = excluded.session, side = excluded.side, held_until = excluded.held_until
 WHERE route.session = excluded.session
    OR (route.held_until <= now()
        AND NOT EXISTS (SELECT FROM call
                         WHERE call.session = route.session AND call.ended_at IS NULL))
RETURNING session;

-- name: take_open_route^
-- The same for a number on which anybody else reaches the session's one party.
INSERT INTO open_route (virtual_number, session, side, held_until)
SELECT :virtual_number::text, session.id, :side::text,
       session.expires_at + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid
ON CONFLICT (virtual_number) DO UPDATE
   SET session = excluded.session, side = excluded.side, held_until = excluded.held_until
 WHERE open_route.session = excluded.session
    OR (open_route.held_until <= now()
        AND NOT EXISTS (SELECT FROM call
                         WHERE call.session = open_route.session AND call.ended_at IS NULL))
RETURNING session;

-- name: lock_pins$
-- Whoever else takes PINs on one of these waits until this transaction ends, so that no two who draw
-- theirs wait crosswise; in the order of the locks, for the same reason.
SELECT count(pg_advisory_xact_lock(2, key))
  FROM (SELECT DISTINCT hashtext(number) AS key
          FROM unnest(:virtual_numbers::text[]) AS number
         ORDER BY key) AS keys;

-- name: find_pin_length$
-- The least of :lengths of which a number has so few PINs that :more go into its room; null: none.
SELECT may.length
  FROM unnest(:lengths::integer[], :rooms::bigint[]) AS may (length, room)
 WHERE (SELECT count(*)
          FROM (SELECT FROM pin
                 WHERE pin.virtual_number = :virtual_number::text
                   AND length(pin.pin) = may.length
                   AND pin.held_until > now()
                 LIMIT may.room + 1) AS held) + :more::integer <= may.room
 ORDER BY may.length
 LIMIT 1;

-- name: take_pin$
-- Take the first of :pins that is free on a number, as take_route takes a pair: the primary key
-- decides.
INSERT INTO pin (virtual_number, pin, session, side, held_until)
SELECT :virtual_number::text, wanted.pin, session.id, :side::text,
       session.expires_at + make_interval(secs => session.cooloff)
  FROM session
 CROSS JOIN LATERAL (
       SELECT one.pin
         FROM unnest(:pins::text[]) WITH ORDINALITY AS one (pin, place)
        WHERE NOT EXISTS (SELECT FROM held_pin
                           WHERE held_pin.virtual_number = :virtual_number::text
                             AND held_pin.pin = one.pin
                             AND (held_pin.session, held_pin.side)
                                 <> (:session::uuid, :side::text))
        ORDER BY one.place
        LIMIT 1) AS wanted
 WHERE session.id = :session::uuid
ON CONFLICT (virtual_number, pin) DO UPDATE
   SET session = excluded.session, side = excluded.side, held_until = excluded.held_until
 WHERE (pin.session, pin.side) = (excluded.session, excluded.side)
    OR (pin.held_until <= now()
        AND NOT EXISTS (SELECT FROM call
                         WHERE call.session = pin.session AND call.ended_at IS NULL))
RETURNING pin;

-- name: keep_pins!
-- The PINs that were drawn for a session, for its customer to see.
UPDATE session SET options = options || :pins::jsonb WHERE id = :session::uuid;

-- name: drop_route!
-- A session is not this party's any more.
DELETE FROM route WHERE session = :session::uuid AND party_number = :party_number::text;

-- name: drop_open_route!
-- The missing party is known now: nobody else reaches the other one.
DELETE FROM open_route WHERE session = :session::uuid;

-- name: find_session^
SELECT id, account, first_party, second_party, first_party_alternates, second_party_alternates,
       virtual_number, second_virtual_number, direction, created_at, modified_at, valid_from,
       expires_at, closed_at, ring_timeout, call_time_limit, max_calls, max_total_duration,
       cooloff, options, single_party, subaccount, expiry_after_last_call, client_reference_id,
       metadata, status, leg_count, billed_seconds, amount, calls_amount,
       last_interaction_at, interactions
  FROM session_report
 WHERE account = :account::text AND id = :id::uuid;

-- name: lock_session^
-- A session that is about to be changed, as it is now; no row if it is over or not this account's.
-- Nor if its end was noted while this waited for its row: what was told to be over stays so.
SELECT first_party, second_party, first_party_alternates, second_party_alternates, single_party,
       virtual_number, second_virtual_number
  FROM session
 WHERE account = :account::text
   AND id = :id::uuid
   AND closed_at IS NULL
   AND over_at IS NULL
   AND expires_at > now()
   FOR UPDATE;

-- name: list_sessions
-- Newest first.  Ranges hold their lower bound and not their upper one.  What was said is looked up
-- for the sessions of the page alone.
WITH page AS MATERIALIZED (
    SELECT id
      FROM session_state
     WHERE
       account = :account::text
   AND (:first_party::text IS NULL OR first_party = :first_party::text)
   AND (:second_party::text IS NULL OR second_party = :second_party::text)
   AND (:virtual_number::text IS NULL
        OR :virtual_number::text IN (virtual_number, second_virtual_number))
   AND (:status::text IS NULL OR status = :status::text)
   AND (:subaccount::text IS NULL OR subaccount = :subaccount::text)
   AND (:client_reference_id::text IS NULL OR client_reference_id = :client_reference_id::text)
   AND (:metadata::jsonb IS NULL OR metadata @> :metadata::jsonb)
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
       AND (:after_created::timestamptz IS NULL
            OR (created_at, id) < (:after_created::timestamptz, :after_id::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT :limit::integer OFFSET :offset::integer
)
SELECT id, account, first_party, second_party, first_party_alternates, second_party_alternates,
       virtual_number, second_virtual_number, direction, created_at, modified_at, valid_from,
       expires_at, closed_at, ring_timeout, call_time_limit, max_calls, max_total_duration,
       cooloff, options, single_party, subaccount, expiry_after_last_call, client_reference_id,
       metadata, status, leg_count, billed_seconds, amount, calls_amount,
       last_interaction_at, interactions
  FROM session_report
 WHERE id IN (SELECT page.id FROM page)
 ORDER BY created_at DESC, id DESC;

-- name: count_sessions$
-- The conditions of list_sessions.
SELECT count(*)
  FROM session_state
 WHERE
       account = :account::text
   AND (:first_party::text IS NULL OR first_party = :first_party::text)
   AND (:second_party::text IS NULL OR second_party = :second_party::text)
   AND (:virtual_number::text IS NULL
        OR :virtual_number::text IN (virtual_number, second_virtual_number))
   AND (:status::text IS NULL OR status = :status::text)
   AND (:subaccount::text IS NULL OR subaccount = :subaccount::text)
   AND (:client_reference_id::text IS NULL OR client_reference_id = :client_reference_id::text)
   AND (:metadata::jsonb IS NULL OR metadata @> :metadata::jsonb)
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

-- name: update_session!
-- Change a live session; null leaves a thing as it is.  The lifetime counts from now.
UPDATE session
   SET modified_at = now(),
       expires_at = CASE WHEN :expiry::integer IS NULL THEN expires_at
                         ELSE greatest(now(), valid_from) + make_interval(secs => :expiry::integer)
                    END,
       ring_timeout = coalesce(:ring_timeout::integer, ring_timeout),
       call_time_limit = coalesce(:call_time_limit::integer, call_time_limit),
       first_party = coalesce(:first_party::text, first_party),
       second_party = coalesce(:second_party::text, second_party),
       direction = coalesce(:direction::text, direction),
       expiry_after_last_call = coalesce(:expiry_after_last_call::integer, expiry_after_last_call),
       max_calls = coalesce(:max_calls::integer, max_calls),
       max_total_duration = coalesce(:max_total_duration::integer, max_total_duration),
       metadata = coalesce(:metadata::jsonb, metadata),
       options = options || :options::jsonb
 WHERE id = :id::uuid;

-- name: hold_routes$
-- Hold a session's pairs and PINs for as long as it now lives, and cools off; how many it has on the
-- numbers that are its own now.
WITH held AS (
    UPDATE route
       SET held_until = session.expires_at + make_interval(secs => session.cooloff)
      FROM session
     WHERE session.id = :session::uuid AND route.session = session.id
    RETURNING route.virtual_number
), open_held AS (
    UPDATE open_route
       SET held_until = session.expires_at + make_interval(secs => session.cooloff)
      FROM session
     WHERE session.id = :session::uuid AND open_route.session = session.id
    RETURNING open_route.virtual_number
), pin_held AS (
    UPDATE pin
       SET held_until = session.expires_at + make_interval(secs => session.cooloff)
      FROM session
     WHERE session.id = :session::uuid AND pin.session = session.id
    RETURNING pin.virtual_number
)
SELECT count(*)
  FROM (SELECT virtual_number FROM held
         UNION ALL
        SELECT virtual_number FROM open_held
         UNION ALL
        SELECT virtual_number FROM pin_held) AS held
  JOIN session
    ON session.id = :session::uuid
   AND held.virtual_number IN (session.virtual_number, session.second_virtual_number);

-- name: close_session^
-- End a session before its time, and say so to its customer; no row if it is over already or not this
-- account's.  One whose end was noted while this waited for its row is over, though our now() is
-- earlier: of each end there is one event.  One that the call that is up will prolong is not over.
WITH closed AS (
    UPDATE session
       SET closed_at = now(), modified_at = now(), over_at = now(), event_count = event_count + 1
     WHERE account = :account::text
       AND id = :id::uuid
       AND closed_at IS NULL
       AND over_at IS NULL
       AND (expires_at > now()
            OR (expiry_after_last_call IS NOT NULL
                AND EXISTS (SELECT FROM call
                             WHERE call.session = session.id AND call.ended_at IS NULL)))
    RETURNING id, account, closed_at, event_count
), told AS (
    INSERT INTO event (account, session, sequence, name, happened_at)
    SELECT account, id, event_count, 'SessionTimeout', closed_at FROM closed
)
SELECT id FROM closed;

-- name: release_routes!
-- The pairs and PINs of a session that was closed now rest for its cool-off period, and are free
-- then.
WITH resting AS (
    UPDATE open_route
       SET held_until = now() + make_interval(secs => session.cooloff)
      FROM session
     WHERE session.id = :session::uuid
       AND open_route.session = session.id
       AND open_route.held_until > now()
), pin_resting AS (
    UPDATE pin
       SET held_until = now() + make_interval(secs => session.cooloff)
      FROM session
     WHERE session.id = :session::uuid AND pin.session = session.id AND pin.held_until > now()
)
UPDATE route
   SET held_until = now() + make_interval(secs => session.cooloff)
  FROM session
 WHERE session.id = :session::uuid AND route.session = session.id AND route.held_until > now();

-- name: ask_hangup
-- Calls of a session that are to end now; the bridges that carry them are told when this is
-- committed, and find it here if they cannot hear just then.
WITH asked AS (
    UPDATE call
       SET hangup_asked_at = now()
     WHERE session = :session::uuid AND ended_at IS NULL AND hangup_asked_at IS NULL
    RETURNING id, node
)
SELECT id, pg_notify('bridge_hangup', coalesce(node, '')) FROM asked;

-- name: note_step!
-- Something became of a session.
INSERT INTO session_history (session, what, actor, reason, changed)
VALUES (:session::uuid, :what::text, :actor::text, :reason::text, :changed::text[]);

-- name: list_steps
-- Oldest first.
SELECT session_history.at, session_history.what, session_history.actor, session_history.reason,
       session_history.changed
  FROM session_history
  JOIN session ON session.id = session_history.session
 WHERE session.account = :account::text AND session.id = :id::uuid
 ORDER BY session_history.id;

-- name: note_expired$
-- Note the end of sessions whose time is over, each once, and say so to their customers; how many.
-- Any process may do this at any moment: a session is over by the clock, not by this.  One that is
-- prolonged by its calls waits for the end of the one that is up.
WITH due AS (
    SELECT id
      FROM session
     WHERE over_at IS NULL
       AND expires_at <= now()
       AND NOT (expiry_after_last_call IS NOT NULL
                AND EXISTS (SELECT FROM call
                             WHERE call.session = session.id AND call.ended_at IS NULL))
     ORDER BY expires_at
     LIMIT :limit::integer
       FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE session
       SET over_at = session.expires_at, event_count = session.event_count + 1
      FROM due
     WHERE session.id = due.id
    RETURNING session.id, session.account, session.expires_at, session.event_count
), step AS (
    INSERT INTO session_history (session, at, what, actor)
    SELECT id, expires_at, 'expired', 'clock' FROM ended
), told AS (
    INSERT INTO event (account, session, sequence, name, happened_at)
    SELECT account, id, event_count, 'SessionTimeout', expires_at FROM ended
)
SELECT count(*) FROM ended;

-- name: list_sessions_on
-- Live sessions that have a number now, oldest first.
SELECT id, created_at
  FROM session
 WHERE account = :account::text
   AND :number::text IN (virtual_number, second_virtual_number)
   AND id IN (SELECT session FROM route
               WHERE virtual_number = :number::text AND held_until > now())
   AND closed_at IS NULL
   AND expires_at > now()
   AND (:after_created::timestamptz IS NULL
        OR (created_at, id) > (:after_created::timestamptz, :after_id::uuid))
 ORDER BY created_at, id
 LIMIT :limit::integer;

-- name: replace_number!
-- Give a session another number, or each party another; null leaves one as it is.  The pairs and PINs
-- on the old one stay the session's: whoever calls it gets through.  Tells each replacement.
WITH replaced AS (
    UPDATE session
       SET virtual_number = coalesce(:first::text, virtual_number),
           second_virtual_number = coalesce(:second::text, second_virtual_number),
           modified_at = now(),
           event_count = event_count + cardinality(:attributes::jsonb[])
     WHERE id = :id::uuid
    RETURNING id, account, event_count - cardinality(:attributes::jsonb[]) AS before
)
INSERT INTO event (account, session, sequence, name, attributes)
SELECT replaced.account, replaced.id, replaced.before + told.place, :name::text, told.attributes
  FROM replaced, unnest(:attributes::jsonb[]) WITH ORDINALITY AS told (attributes, place);

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

-- name: warn_of_pool^
-- Tell an account that its pool runs low, or is empty; once an hour for the same.  Looked for among
-- the events that are no session's, of which there are few, however many calls an hour has.
INSERT INTO event (account, name, attributes)
SELECT :account::text, :name::text, :attributes::jsonb || jsonb_build_object('left', :left::integer)
 WHERE NOT EXISTS (
       SELECT FROM event
        WHERE session IS NULL
          AND account = :account::text
          AND name = :name::text
          AND attributes @> :attributes::jsonb
          AND happened_at > now() - interval '1 hour')
RETURNING id;
