-- Calls: written down as they come in, and closed as they end.

-- name: record_arrival^
-- Write an inbound call down and say, in the one round trip that stands between a caller and the
-- ringing phone, what is known of its numbers.  :dialled is as signalled; :caller is null when
-- withheld.  The last session that held the pair is given even if it is over: the record names it.
WITH number_in_service AS (
    SELECT 1
      FROM virtual_number
     WHERE number = :dialled::text
       AND state IN ('active', 'draining')
), held AS (
    SELECT session, side
      FROM route
     WHERE virtual_number = :dialled::text
       AND party_number = :caller::text
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
       session.id, session.account, session.first_party, session.second_party,
       session.virtual_number, session.created_at, session.modified_at, session.expires_at,
       session.closed_at, session.ring_timeout, session.call_time_limit
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
SELECT call.id, call.virtual_number, call.caller, call.started_at, call.ringing_at,
       call.answered_at, leg.channel_id,
       CASE call.caller_side WHEN 'first' THEN session.second_party
                             WHEN 'second' THEN session.first_party END AS callee,
       session.ring_timeout, session.call_time_limit
  FROM call
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
  LEFT JOIN session ON session.id = call.session
 WHERE call.node = :node::text
   AND call.ended_at IS NULL
 ORDER BY call.started_at;

-- name: find_leg^
-- One leg of a call of an account's session, with the leg that came in first as its parent.
SELECT leg.id, leg.role, leg.party_number, call.virtual_number, leg.started_at, leg.answered_at,
       leg.ended_at, leg.billed_seconds, leg.rate, leg.amount,
       CASE leg.role WHEN 'b' THEN a_leg.id END AS parent
  FROM leg
  JOIN call ON call.id = leg.call
  JOIN session ON session.id = call.session
  JOIN leg AS a_leg ON a_leg.call = call.id AND a_leg.role = 'a'
 WHERE leg.id = :id::uuid
   AND session.account = :account::text;
