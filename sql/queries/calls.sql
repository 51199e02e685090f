-- Calls: written down as they come in, and closed as they end.

-- name: record_arrival^
-- Write an inbound call down and say, in the one round trip that stands between a caller and the
-- ringing phone, what is known of its numbers.  :dialled is as signalled; :caller, and :known_as, the
-- form by which callers are recognised, are null when withheld.  A live session comes first, and the
-- caller's own before one that takes anybody; the last session that held the pair is given even if it
-- is over: the record names it.
-- Calls of :over do not count as up, whatever their rows say, and of :made as made.
-- For a caller that is no party of a live session, or must show that it is, what strangers are asked
-- for on this number; the newest session decides.  :met are the demands that the carrier's word for
-- the caller's number meets.
WITH held AS (
    SELECT found.session, found.side, found.own,
           session.closed_at IS NULL AND session.expires_at > now() AS live,
           session.options @> '{"force_pin_authentication": true}' AS forced,
           coalesce(session.options ->> 'min_attestation', account.min_attestation)
               <> ALL (:met::text[]) AS unattested
      FROM (SELECT session, side, true AS own
              FROM route
             WHERE virtual_number = :dialled::text
               AND party_number = :known_as::text
             UNION ALL
            SELECT session, side, false
              FROM open_route
             WHERE virtual_number = :dialled::text) AS found
      JOIN session ON session.id = found.session
      JOIN account ON account.auth_id = session.account
     ORDER BY session.closed_at IS NULL AND session.expires_at > now() DESC, found.own DESC
     LIMIT 1
), stranger AS MATERIALIZED (  -- nothing for a party; else one look into an index for each
    SELECT asking.id AS pin_session, asking.options AS pin_options,
           (SELECT length  -- one look for each, however many PINs there are
              FROM generate_series(15, 4, -1) AS length
             WHERE EXISTS (SELECT FROM pin
                            WHERE virtual_number = :dialled::text
                              AND length(pin) = length
                              AND held_until > now())
             LIMIT 1) AS longest_pin,
           (SELECT play
              FROM ((SELECT created_at, options ->> 'unknown_caller_play' AS play
                       FROM session
                      WHERE virtual_number = :dialled::text
                        AND options ->> 'unknown_caller_play' IS NOT NULL
                        AND over_at IS NULL AND closed_at IS NULL AND expires_at > now()
                      ORDER BY created_at DESC
                      LIMIT 1)
                     UNION ALL
                    (SELECT created_at, options ->> 'unknown_caller_play' AS play
                       FROM session
                      WHERE second_virtual_number = :dialled::text
                        AND options ->> 'unknown_caller_play' IS NOT NULL
                        AND over_at IS NULL AND closed_at IS NULL AND expires_at > now()
                      ORDER BY created_at DESC
                      LIMIT 1)) AS playing
             ORDER BY created_at DESC
             LIMIT 1) AS unknown_caller_play,
           tried.of_caller, tried.on_number, tried.on_number_at, tried.in_account,
           tried.in_account_at, tried.withheld, tried.withheld_at
      FROM (SELECT) AS one
      LEFT JOIN LATERAL (
           SELECT id, options
             FROM ((SELECT id, created_at, options
                      FROM session
                     WHERE virtual_number = :dialled::text
                       AND options @> '{"is_pin_authentication_required": true}'
                       AND over_at IS NULL AND closed_at IS NULL AND expires_at > now()
                     ORDER BY created_at DESC
                     LIMIT 1)
                    UNION ALL
                   (SELECT id, created_at, options
                      FROM session
                     WHERE second_virtual_number = :dialled::text
                       AND options @> '{"is_pin_authentication_required": true}'
                       AND over_at IS NULL AND closed_at IS NULL AND expires_at > now()
                     ORDER BY created_at DESC
                     LIMIT 1)) AS newest
            ORDER BY created_at DESC
            LIMIT 1) AS asking ON true
      LEFT JOIN LATERAL wrong_pins(:dialled::text, :known_as::text, :window::integer,
                                   :latest::float8) AS tried
        ON asking.id IS NOT NULL
     WHERE NOT EXISTS (SELECT FROM held WHERE live AND NOT forced AND NOT unattested)
), new_call AS (
    INSERT INTO call (id, node, session, caller_side, virtual_number, caller, started_at,
                      attestation)
    SELECT :call_id::uuid, :node::text, held.session, held.side, :dialled::text, :caller::text,
           :started_at::timestamptz, :attestation::text
      FROM (SELECT) AS one LEFT JOIN held ON true
    RETURNING id
), new_leg AS (
    INSERT INTO leg (call, role, channel_id, party_number, started_at)
    SELECT id, 'a', :channel_id::text, :caller::text, :started_at::timestamptz FROM new_call
)
SELECT now() AS now,
       coalesce(used.in_service, false) AS number_in_service,
       coalesce(used.is_full, false) AS number_is_full,
       coalesce(used.account_is_full, false) AS account_is_full,
       used.account AS number_account, used.webhooks, used.fallback_number, used.fallback_play_url,
       EXISTS (SELECT FROM virtual_number
                WHERE number IN (:caller::text, :known_as::text)
                  AND state <> 'retired') AS caller_is_ours,
       EXISTS (SELECT FROM virtual_number
                WHERE number = CASE held.side
                          WHEN 'first' THEN coalesce(session.second_party, session.last_counterpart)
                          WHEN 'second' THEN coalesce(session.first_party, session.last_counterpart)
                          END
                  AND state <> 'retired') AS callee_is_ours,
       held.side AS caller_side, coalesce(held.unattested, false) AS unattested,
       calls_up(held.session, :call_id::uuid || :over::text[]::uuid[]) AS calls_up,
       session.calls_made + unwritten.calls AS calls_made,
       session.seconds_talked + unwritten.seconds AS seconds_talked, session.last_counterpart,
       session.id, session.account, session.first_party, session.second_party,
       session.first_party_alternates, session.second_party_alternates, session.virtual_number,
       session.second_virtual_number, session.direction, session.created_at, session.modified_at,
       session.valid_from, session.expires_at, session.closed_at, session.ring_timeout,
       session.call_time_limit, session.max_calls, session.max_total_duration, session.options,
       coalesce(held.own AND held.live, false) AS registered,
       stranger.pin_session, stranger.pin_options, stranger.longest_pin, stranger.unknown_caller_play,
       stranger.of_caller, stranger.on_number, stranger.on_number_at, stranger.in_account,
       stranger.in_account_at, stranger.withheld, stranger.withheld_at
  FROM (SELECT) AS one
  LEFT JOIN number_use(:dialled::text, :call_id::uuid || :over::text[]::uuid[]) AS used ON true
  LEFT JOIN held ON true
  LEFT JOIN session_use AS session ON session.id = held.session
  LEFT JOIN LATERAL (  -- calls that are over, and not yet written so, were made all the same
       SELECT count(*) AS calls,
              coalesce(ceil(extract(epoch FROM sum(now() - call.answered_at))), 0)::integer AS seconds
         FROM call
        WHERE call.id = ANY (:made::text[]::uuid[])
          AND call.session = session.id
          AND call.ended_at IS NULL) AS unwritten ON true
  LEFT JOIN stranger ON true;

-- name: lock_guesses$
-- Whoever else types a PIN on this number, on any of its account's, or as this caller, waits, so that
-- no more are tried than may be.  In the order of the locks, so that no two wait crosswise.
SELECT count(pg_advisory_xact_lock(3, key))
  FROM (SELECT DISTINCT hashtext(whose) AS key
          FROM unnest(ARRAY['number ' || :virtual_number::text,
                            'caller ' || :known_as::text,
                            'account ' || (SELECT account FROM virtual_number
                                            WHERE number = :virtual_number::text)]) AS whose
         WHERE whose IS NOT NULL
         ORDER BY key) AS keys;

-- name: count_wrong_pins^
-- What was typed wrongly of late, and whether the caller is a party of a live session.
SELECT now() AS now,
       tried.of_caller, tried.on_number, tried.on_number_at, tried.in_account,
       tried.in_account_at, tried.withheld, tried.withheld_at,
       EXISTS (SELECT
                 FROM route
                 JOIN session ON session.id = route.session
                WHERE route.virtual_number = :virtual_number::text
                  AND route.party_number = :known_as::text
                  AND session.closed_at IS NULL
                  AND session.expires_at > now()) AS registered
  FROM (SELECT) AS one
  LEFT JOIN wrong_pins(:virtual_number::text, :known_as::text, :window::integer, :latest::float8)
       AS tried ON true;

-- name: note_wrong_pin$
-- Count a wrong PIN, or one whose turn is yet to come; and forget those that count no more.
WITH old AS (
    SELECT id FROM wrong_pin
     WHERE typed_at <= now() - make_interval(secs => :window::integer)
     LIMIT 1000
       FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM wrong_pin USING old WHERE wrong_pin.id = old.id
)
INSERT INTO wrong_pin (virtual_number, account, caller, typed_at)
SELECT :virtual_number::text, account, :known_as::text, now() + make_interval(secs => :wait::float8)
  FROM virtual_number
 WHERE number = :virtual_number::text
RETURNING id;

-- name: forget_turn!
-- It was right.
DELETE FROM wrong_pin WHERE id = :id::bigint;

-- name: warn_of_guessing^
-- Tell an account that PINs are being guessed; once an hour for the same.  As of warn_of_pool.
INSERT INTO event (account, name, attributes)
SELECT virtual_number.account, 'PinGuessing', :attributes::jsonb
  FROM virtual_number
 WHERE virtual_number.number = :virtual_number::text
   AND NOT EXISTS (
       SELECT FROM event
        WHERE session IS NULL
          AND account = virtual_number.account
          AND name = 'PinGuessing'
          AND attributes @> :attributes::jsonb
          AND happened_at > now() - interval '1 hour')
RETURNING account;

-- name: identify_caller^
-- The live session and the side that a PIN leads to, written down with the call; no row: none.  Nor
-- does it lead a party to itself, who would be rung by its own call.  The session is locked first,
-- as whoever changes it does.
WITH found AS MATERIALIZED (
    SELECT session.id, pin.side
      FROM pin
      JOIN session ON session.id = pin.session
     WHERE pin.virtual_number = :virtual_number::text
       AND pin.pin = :pin::text
       AND session.closed_at IS NULL
       AND session.expires_at > now()
       AND NOT EXISTS (SELECT FROM route
                        WHERE route.session = session.id
                          AND route.side <> pin.side
                          AND route.party_number = :known_as::text)
       FOR NO KEY UPDATE OF session
)
UPDATE call
   SET session = found.id, caller_side = found.side
  FROM found
 WHERE call.id = :call_id::uuid
   AND call.ended_at IS NULL
RETURNING call.session;

-- name: look_again^
-- The live session that has a call's two numbers by now, written down with the call; no row: none.
-- The session is locked first, as whoever changes it does.
WITH found AS MATERIALIZED (
    SELECT session.id, route.side
      FROM route
      JOIN session ON session.id = route.session
     WHERE route.virtual_number = :virtual_number::text
       AND route.party_number = :known_as::text
       AND session.closed_at IS NULL
       AND session.expires_at > now()
       FOR NO KEY UPDATE OF session
)
UPDATE call
   SET session = found.id, caller_side = found.side
  FROM found
 WHERE call.id = :call_id::uuid
   AND call.ended_at IS NULL
RETURNING call.session;

-- name: redirect_call!
-- It goes to another than the other party, and out of any session if it is to no party at all.
UPDATE call
   SET redirected_to = :number::text,
       session = CASE WHEN :in_session::boolean THEN session END,
       caller_side = CASE WHEN :in_session::boolean THEN caller_side END
 WHERE id = :call_id::uuid
   AND ended_at IS NULL;

-- name: remember_caller!
-- From now on a caller whose PIN was right is known by its number, where that is agreed and the pair
-- is free; on the session's own number, though it may have called one that was replaced.  A PIN that
-- is passed on from hand to hand makes no endless list.
WITH agreed AS (
    SELECT session.id, call.caller, call.caller_side,
           CASE call.caller_side
                WHEN 'second' THEN coalesce(session.second_virtual_number, session.virtual_number)
                ELSE session.virtual_number END AS virtual_number,
           session.expires_at + make_interval(secs => session.cooloff) AS held_until
      FROM call
      JOIN session ON session.id = call.session
     WHERE call.id = :call_id::uuid
       AND call.caller IS NOT NULL
       AND session.options @> '{"remember_caller": true}'
       AND cardinality(session.first_party_alternates) < 20
       AND cardinality(session.second_party_alternates) < 20
       AND NOT EXISTS (SELECT FROM virtual_number
                        WHERE number = call.caller AND state <> 'retired')
       FOR NO KEY UPDATE OF session
), taken AS (
    INSERT INTO route (virtual_number, party_number, session, side, held_until)
    SELECT virtual_number, :known_as::text, id, caller_side, held_until FROM agreed
    ON CONFLICT (virtual_number, party_number) DO UPDATE
       SET session = excluded.session, side = excluded.side, held_until = excluded.held_until
     WHERE route.held_until <= now()
       AND NOT EXISTS (SELECT FROM call
                        WHERE call.session = route.session AND call.ended_at IS NULL)
    RETURNING session, side, (SELECT caller FROM agreed) AS caller
), step AS (
    INSERT INTO session_history (session, what, actor, changed)
    SELECT session, 'updated', 'call ' || :call_id::text, ARRAY[side || '_party_alternates']
      FROM taken
)
UPDATE session
   SET first_party_alternates = first_party_alternates
           || CASE taken.side WHEN 'first' THEN ARRAY[taken.caller::text] ELSE '{}' END,
       second_party_alternates = second_party_alternates
           || CASE taken.side WHEN 'second' THEN ARRAY[taken.caller::text] ELSE '{}' END,
       modified_at = now()
  FROM taken
 WHERE session.id = taken.session;

-- name: record_progress^
-- The called party's phone rings, or the two are connected: written as it is told, for a restarted
-- bridge would not know it, and counts the time limit from there.  Null adds nothing; what is known
-- stays.  Gives the call's tale: the session is locked before the call.
WITH tale AS MATERIALIZED (
    SELECT * FROM begin_tale(:call_id::uuid)
), written AS (
    UPDATE call
       SET ringing_at = coalesce(ringing_at, :ringing_at::timestamptz),
           answered_at = coalesce(answered_at, :answered_at::timestamptz)
      FROM (SELECT count(*) FROM tale) AS begun
     WHERE id = :call_id::uuid
       AND ended_at IS NULL
)
SELECT * FROM tale;

-- name: record_caller_progress^
-- The same of the phone that an ordered call rings first, or of a caller who is answered before the
-- other is.
WITH tale AS MATERIALIZED (
    SELECT * FROM begin_tale(:call_id::uuid)
), written AS (
    UPDATE leg
       SET ringing_at = coalesce(ringing_at, :ringing_at::timestamptz),
           answered_at = coalesce(answered_at, :answered_at::timestamptz)
      FROM (SELECT count(*) FROM tale) AS begun
     WHERE call = :call_id::uuid
       AND role = 'a'
       AND ended_at IS NULL
)
SELECT * FROM tale;

-- name: record_end^
-- The one record of a finished call.  Inserts the call too, for its arrival may not have been
-- written while Postgres was away; a record that is complete is never changed.  Gives the call's
-- tale: the session is locked before the call.
-- Of a refused call its account is told, if it wants that: of so many of one number in a minute, and
-- with the first of the next minute how many were left out.
WITH tale AS MATERIALIZED (
    SELECT * FROM begin_tale(:call_id::uuid)
), written AS (
    INSERT INTO call (id, node, virtual_number, caller, started_at, ringing_at, answered_at,
                      ended_at, end_is_estimate, disposition, reason, fault, hung_up_by,
                      missed_prompts, shown_number)
    SELECT :call_id::uuid, :node::text, :dialled::text, :caller::text, :started_at::timestamptz,
           :ringing_at::timestamptz, :answered_at::timestamptz, :ended_at::timestamptz,
           :end_is_estimate::boolean, :disposition::text, :reason::text, :fault::text,
           :hung_up_by::text, :missed_prompts::jsonb, :shown_number::text
      FROM (SELECT count(*) FROM tale) AS begun
    ON CONFLICT (id) DO UPDATE
       SET ringing_at = coalesce(excluded.ringing_at, call.ringing_at),
           answered_at = coalesce(excluded.answered_at, call.answered_at),
           ended_at = excluded.ended_at,
           end_is_estimate = excluded.end_is_estimate,
           disposition = excluded.disposition,
           reason = excluded.reason,
           fault = excluded.fault,
           hung_up_by = excluded.hung_up_by,
           missed_prompts = excluded.missed_prompts,
           shown_number = excluded.shown_number
     WHERE call.ended_at IS NULL
    RETURNING id, account, session, caller_side, virtual_number, disposition
), refused AS (
    SELECT written.id, written.account, written.session, written.caller_side,
           written.virtual_number, now() AS at
      FROM written
      JOIN account ON account.auth_id = written.account
     WHERE written.disposition = 'refused'
       AND account.webhooks ->> 'call_refused_url' IS NOT NULL
), counted AS (
    INSERT INTO refusal_count AS kept (virtual_number, since, calls)
    SELECT virtual_number, at, 1 FROM refused
    ON CONFLICT (virtual_number) DO UPDATE
       SET since = CASE WHEN kept.since <= excluded.since - interval '1 minute'
                        THEN excluded.since ELSE kept.since END,
           calls = CASE WHEN kept.since <= excluded.since - interval '1 minute'
                        THEN 1 ELSE kept.calls + 1 END,
           left_out = CASE WHEN kept.since <= excluded.since - interval '1 minute'
                           THEN greatest(kept.calls - :told_at_most::integer, 0)
                           ELSE kept.left_out END
    RETURNING calls, left_out
), told AS (
    INSERT INTO event (account, call, name, happened_at, attributes)
    SELECT refused.account, refused.id, 'CallRefused', :ended_at::timestamptz,
           :refusal::jsonb || jsonb_strip_nulls(jsonb_build_object(
               'CallUUID', coalesce((SELECT leg.id FROM leg
                                      WHERE leg.call = refused.id AND leg.role = 'a'), refused.id),
               'SessionUUID', refused.session,
               'CallerParty', refused.caller_side,
               'CallsLeftOut', CASE WHEN counted.calls = 1
                                    THEN nullif(counted.left_out, 0) END,
               'MoreLeftOut', CASE WHEN counted.calls = :told_at_most::integer THEN true END))
      FROM refused, counted
     WHERE counted.calls <= :told_at_most::integer
)
SELECT * FROM tale;

-- name: prolong_session!
-- A call that is over prolongs its session, if that is agreed, and the hold on its pairs and PINs.
WITH prolonged AS (
    UPDATE session
       SET expires_at = now() + make_interval(secs => session.expiry_after_last_call)
      FROM call
     WHERE call.id = :call_id::uuid
       AND call.disposition <> 'refused'
       AND session.id = call.session
       AND session.over_at IS NULL
       AND session.expires_at < now() + make_interval(secs => session.expiry_after_last_call)
    RETURNING session.id, session.expires_at + make_interval(secs => session.cooloff) AS held_until
), step AS (
    INSERT INTO session_history (session, what, actor)
    SELECT id, 'prolonged', 'call ' || :call_id::text FROM prolonged
), open_held AS (
    UPDATE open_route
       SET held_until = prolonged.held_until
      FROM prolonged
     WHERE open_route.session = prolonged.id
), pin_held AS (
    UPDATE pin
       SET held_until = prolonged.held_until
      FROM prolonged
     WHERE pin.session = prolonged.id
)
UPDATE route
   SET held_until = prolonged.held_until
  FROM prolonged
 WHERE route.session = prolonged.id;

-- name: find_hangups
-- Calls of one bridge that their customer wants ended.
SELECT id FROM call
 WHERE node = :node::text AND ended_at IS NULL AND hangup_asked_at IS NOT NULL;

-- name: ask_hangup_of_leg^
-- The call of a leg of an account is to end now; no row if it is over or not theirs.
WITH asked AS (
    UPDATE call
       SET hangup_asked_at = coalesce(hangup_asked_at, now())
      FROM leg
     WHERE leg.id = leg_named(:id::uuid)
       AND call.id = leg.call
       AND call.account = :account::text
       AND call.ended_at IS NULL
    RETURNING call.id, call.node
)
SELECT id, pg_notify('bridge_hangup', coalesce(node, '')) FROM asked;

-- name: record_legs*!
-- The legs of a finished call.  A leg that is complete is never changed, nor is what it cost; that it
-- rang or was answered, once written and told, stays, as with its call.
INSERT INTO leg (call, role, channel_id, party_number, started_at, ringing_at, answered_at,
                 ended_at, hangup_cause, sip_code, billed_seconds, rate, amount)
VALUES (:call_id::uuid, :role::text, :channel_id::text, :party_number::text,
        :started_at::timestamptz, :ringing_at::timestamptz, :answered_at::timestamptz,
        :ended_at::timestamptz, :hangup_cause::integer, :sip_code::integer,
        :billed_seconds::integer, :rate::numeric, :amount::numeric)
ON CONFLICT (call, role) DO UPDATE
   SET ringing_at = coalesce(excluded.ringing_at, leg.ringing_at),
       answered_at = coalesce(excluded.answered_at, leg.answered_at),
       ended_at = excluded.ended_at,
       hangup_cause = excluded.hangup_cause,
       sip_code = excluded.sip_code,
       billed_seconds = excluded.billed_seconds,
       rate = excluded.rate,
       amount = excluded.amount
 WHERE leg.ended_at IS NULL;

-- name: find_open_calls
-- Calls of one bridge whose record is not complete: after a crash, those it must take up or close.
SELECT call.id, call.origin, call.virtual_number, call.caller, call.started_at, call.ringing_at,
       call.answered_at, leg.channel_id, leg.ringing_at AS caller_ringing_at,
       leg.answered_at AS caller_answered_at,
       coalesce(call.redirected_to,
                CASE call.caller_side
                     WHEN 'first' THEN coalesce(session.second_party,
                                                last_counterpart(session.id, 'second'))
                     WHEN 'second' THEN coalesce(session.first_party,
                                                 last_counterpart(session.id, 'first'))
                     END) AS callee,
       session.ring_timeout, session.call_time_limit,
       call.session IS NULL AND call.redirected_to IS NOT NULL AS forwarded,
       -- A session has one call at a time, but for two who called each other and were joined: if
       -- another was answered while this one was up, they were.
       EXISTS (SELECT FROM call AS other
                WHERE other.session = call.session
                  AND other.id <> call.id
                  AND other.answered_at >= call.started_at) AS crossed,
       coalesce(session.options ->> 'answer_guard', 'none') AS answer_guard,
       coalesce(session.options, '{}') AS options
  FROM call
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
  LEFT JOIN session ON session.id = call.session
 WHERE call.node = :node::text
   AND call.ended_at IS NULL
 ORDER BY call.started_at;

-- name: find_leg^
-- One leg of a call of an account, with the leg that came in first as its parent; also by the id of the
-- call, which means that leg.
SELECT leg.id, leg.role, call.origin, leg.party_number,
       CASE WHEN leg.role = 'a' THEN call.virtual_number
            ELSE coalesce(CASE call.caller_side WHEN 'second' THEN session.virtual_number
                               ELSE coalesce(session.second_virtual_number, session.virtual_number)
                               END,
                          call.virtual_number) END AS virtual_number,
       leg.started_at, leg.answered_at, leg.ended_at, leg.billed_seconds, leg.rate, leg.amount,
       CASE leg.role WHEN 'b' THEN a_leg.id END AS parent, call.id AS call, call.session,
       call.caller_side, account.event_privacy, account.event_key,
       call.disposition, call.reason, call.fault, call.hung_up_by
  FROM leg
  JOIN call ON call.id = leg.call
  JOIN account ON account.auth_id = call.account
  JOIN leg AS a_leg ON a_leg.call = call.id AND a_leg.role = 'a'
  LEFT JOIN session ON session.id = call.session
 WHERE leg.id = leg_named(:id::uuid)
   AND call.account = :account::text;

-- name: plan_for_values$
-- In this transaction each statement is planned for the values that it is given: of many conditions
-- those that are wanted decide by which index a list is read.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: list_calls
-- Calls of an account, newest first, each as the leg that it began with.
WITH page AS MATERIALIZED (
    SELECT id
      FROM call
     WHERE account = :account::text
       AND (:session::uuid IS NULL OR session = :session::uuid)
       AND (:virtual_number::text IS NULL OR virtual_number = :virtual_number::text)
       AND (:caller::text IS NULL OR caller = :caller::text)
       AND (:disposition::text IS NULL OR disposition = :disposition::text)
       AND (NOT :only_up::boolean OR ended_at IS NULL)
       AND (:reason::text IS NULL OR reason = :reason::text)
       AND (:started_from::timestamptz IS NULL OR started_at >= :started_from::timestamptz)
       AND (:started_to::timestamptz IS NULL OR started_at < :started_to::timestamptz)
       AND (:after_started::timestamptz IS NULL
            OR (started_at, id) < (:after_started::timestamptz, :after_id::uuid))
     ORDER BY started_at DESC, id DESC
     LIMIT :limit::integer OFFSET :offset::integer
)
SELECT leg.id, leg.role, call.origin, leg.party_number,
       CASE WHEN leg.role = 'a' THEN call.virtual_number
            ELSE coalesce(CASE call.caller_side WHEN 'second' THEN session.virtual_number
                               ELSE coalesce(session.second_virtual_number, session.virtual_number)
                               END,
                          call.virtual_number) END AS virtual_number,
       leg.started_at, leg.answered_at, leg.ended_at, leg.billed_seconds, leg.rate, leg.amount,
       CASE leg.role WHEN 'b' THEN a_leg.id END AS parent, call.id AS call, call.session,
       call.caller_side, account.event_privacy, account.event_key,
       call.disposition, call.reason, call.fault, call.hung_up_by
  FROM page
  JOIN call ON call.id = page.id
  JOIN account ON account.auth_id = call.account
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
  JOIN leg AS a_leg ON a_leg.id = leg.id
  LEFT JOIN session ON session.id = call.session
 ORDER BY call.started_at DESC, call.id DESC;

-- name: count_calls$
-- The conditions of list_calls; no further than to :at_most, because a million take a while.
SELECT count(*)
  FROM (SELECT
          FROM call
         WHERE account = :account::text
           AND (:session::uuid IS NULL OR session = :session::uuid)
           AND (:virtual_number::text IS NULL OR virtual_number = :virtual_number::text)
           AND (:caller::text IS NULL OR caller = :caller::text)
           AND (:disposition::text IS NULL OR disposition = :disposition::text)
           AND (NOT :only_up::boolean OR ended_at IS NULL)
           AND (:reason::text IS NULL OR reason = :reason::text)
           AND (:started_from::timestamptz IS NULL OR started_at >= :started_from::timestamptz)
           AND (:started_to::timestamptz IS NULL OR started_at < :started_to::timestamptz)
         LIMIT :at_most::integer) AS found;

-- name: list_strays
-- Calls that are no account's, newest first.
SELECT started_at, virtual_number AS dialled, caller, reason
  FROM call
 WHERE account IS NULL
 ORDER BY started_at DESC, id DESC
 LIMIT :limit::integer;
