-- Calls: written down as they come in, and closed as they end.

-- name: record_arrival^
-- Write an inbound call down and say, in the one round trip that stands between a caller and the
-- ringing phone, what is known of its numbers.  :dialled is as signalled; :caller is null when
-- withheld.  A live session comes first, and the caller's own before one that takes anybody; the
-- last session that held the pair is given even if it is over: the record names it.
WITH number_in_service AS (
    SELECT 1
      FROM virtual_number
     WHERE number = :dialled::text
       AND state IN ('active', 'draining')
), held AS (
    SELECT found.session, found.side
      FROM (SELECT session, side, true AS own
              FROM route
             WHERE virtual_number = :dialled::text
               AND party_number = :caller::text
             UNION ALL
            SELECT session, side, false
              FROM open_route
             WHERE virtual_number = :dialled::text) AS found
      JOIN session ON session.id = found.session
     ORDER BY session.closed_at IS NULL AND session.expires_at > now() DESC, found.own DESC
     LIMIT 1
), new_call AS (
    INSERT INTO call (id, node, session, caller_side, virtual_number, caller, started_at)
    SELECT :call_id::uuid, :node::text, held.session, held.side, :dialled::text, :caller::text,
           :started_at::timestamptz
      FROM (SELECT) AS one LEFT JOIN held ON true
    RETURNING id
), new_leg AS (
    INSERT INTO leg (call, role, channel_id, party_number, started_at)
    SELECT id, 'a', :channel_id::text, :caller::text, :started_at::timestamptz FROM new_call
)
SELECT now() AS now,
       EXISTS (SELECT FROM number_in_service) AS number_in_service,
       held.side AS caller_side,
       (SELECT count(*) FROM call
         WHERE call.session = held.session AND call.ended_at IS NULL) AS calls_up,
       CASE WHEN session.max_calls IS NOT NULL
            THEN (SELECT count(*) FROM call
                   WHERE call.session = session.id AND call.disposition <> 'refused')
            ELSE 0 END AS calls_made,
       CASE WHEN session.max_total_duration IS NOT NULL
            THEN (SELECT coalesce(ceil(extract(epoch FROM sum(ended_at - answered_at))), 0)
                    FROM call
                   WHERE call.session = session.id)::integer
            ELSE 0 END AS seconds_talked,
       CASE WHEN session.first_party IS NULL THEN last_counterpart(session.id, 'first')
            WHEN session.second_party IS NULL THEN last_counterpart(session.id, 'second')
            END AS last_counterpart,
       session.id, session.account, session.first_party, session.second_party,
       session.first_party_alternates, session.second_party_alternates, session.virtual_number,
       session.second_virtual_number, session.direction, session.created_at, session.modified_at,
       session.valid_from, session.expires_at, session.closed_at, session.ring_timeout,
       session.call_time_limit, session.max_calls, session.max_total_duration,
       session.options
  FROM (SELECT) AS one
  LEFT JOIN held ON true
  LEFT JOIN session ON session.id = held.session;

-- name: record_answer!
-- The two are connected; a restarted bridge counts the time limit from here.
UPDATE call
   SET ringing_at = :ringing_at::timestamptz,
       answered_at = :answered_at::timestamptz
 WHERE id = :call_id::uuid
   AND ended_at IS NULL;

-- name: record_end!
-- The one record of a finished call.  Inserts the call too, for its arrival may not have been
-- written while Postgres was away; a record that is complete is never changed.
INSERT INTO call (id, node, virtual_number, caller, started_at, ringing_at, answered_at, ended_at,
                  end_is_estimate, disposition, reason, fault, hung_up_by)
VALUES (:call_id::uuid, :node::text, :dialled::text, :caller::text, :started_at::timestamptz,
        :ringing_at::timestamptz, :answered_at::timestamptz, :ended_at::timestamptz,
        :end_is_estimate::boolean, :disposition::text, :reason::text, :fault::text,
        :hung_up_by::text)
ON CONFLICT (id) DO UPDATE
   SET ringing_at = coalesce(excluded.ringing_at, call.ringing_at),
       answered_at = coalesce(excluded.answered_at, call.answered_at),
       ended_at = excluded.ended_at,
       end_is_estimate = excluded.end_is_estimate,
       disposition = excluded.disposition,
       reason = excluded.reason,
       fault = excluded.fault,
       hung_up_by = excluded.hung_up_by
 WHERE call.ended_at IS NULL;

-- name: prolong_session!
-- A call that is over prolongs its session where that is agreed, and the hold on its pairs.
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
-- The call of a leg of an account's session is to end now; no row if it is over or not theirs.
WITH asked AS (
    UPDATE call
       SET hangup_asked_at = coalesce(hangup_asked_at, now())
      FROM leg, session
     WHERE leg.id = :id::uuid
       AND call.id = leg.call
       AND session.id = call.session
       AND session.account = :account::text
       AND call.ended_at IS NULL
    RETURNING call.id, call.node
)
SELECT id, pg_notify('bridge_hangup', coalesce(node, '')) FROM asked;

-- name: record_leg!
-- One leg of a finished call.  A leg that is complete is never changed, nor is what it cost.
INSERT INTO leg (call, role, channel_id, party_number, started_at, ringing_at, answered_at,
                 ended_at, hangup_cause, sip_code, billed_seconds, rate, amount)
VALUES (:call_id::uuid, :role::text, :channel_id::text, :party_number::text,
        :started_at::timestamptz, :ringing_at::timestamptz, :answered_at::timestamptz,
        :ended_at::timestamptz, :hangup_cause::integer, :sip_code::integer,
        :billed_seconds::integer, :rate::numeric, :amount::numeric)
ON CONFLICT (call, role) DO UPDATE
   SET ringing_at = excluded.ringing_at,
       answered_at = excluded.answered_at,
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
       call.answered_at, leg.channel_id,
       CASE call.caller_side
            WHEN 'first' THEN coalesce(session.second_party, last_counterpart(session.id, 'second'))
            WHEN 'second' THEN coalesce(session.first_party, last_counterpart(session.id, 'first'))
            END AS callee,
       session.ring_timeout, session.call_time_limit
  FROM call
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
  LEFT JOIN session ON session.id = call.session
 WHERE call.node = :node::text
   AND call.ended_at IS NULL
 ORDER BY call.started_at;

-- name: find_leg^
-- One leg of a call of an account's session, with the leg that came in first as its parent.
SELECT leg.id, leg.role, call.origin, leg.party_number,
       CASE leg.role WHEN 'a' THEN call.virtual_number
            ELSE CASE call.caller_side WHEN 'second' THEN session.virtual_number
                 ELSE coalesce(session.second_virtual_number, session.virtual_number) END
            END AS virtual_number,
       leg.started_at, leg.answered_at, leg.ended_at, leg.billed_seconds, leg.rate, leg.amount,
       CASE leg.role WHEN 'b' THEN a_leg.id END AS parent
  FROM leg
  JOIN call ON call.id = leg.call
  JOIN session ON session.id = call.session
  JOIN leg AS a_leg ON a_leg.call = call.id AND a_leg.role = 'a'
 WHERE leg.id = :id::uuid
   AND session.account = :account::text;
