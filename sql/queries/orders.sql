-- Calls that we place to both parties, one after the other.

-- name: order_call^
-- Write down that a party of a live session wants to be called, and then the other; the bridges
-- hear of it when this is committed.  No row: there is no such party, or the session is over or not
-- this account's.  Gives the id of the leg that will be placed first.
WITH new_call AS (
    INSERT INTO call (id, session, caller_side, virtual_number, caller, started_at, origin)
    SELECT :call_id::uuid, session.id, :side::text, number.dialled, number.caller, now(), 'call-me'
      FROM session
     CROSS JOIN LATERAL (
           SELECT CASE :side::text WHEN 'first' THEN first_party ELSE second_party END AS caller,
                  CASE :side::text WHEN 'first' THEN virtual_number
                       ELSE coalesce(second_virtual_number, virtual_number) END AS dialled
     ) AS number
     WHERE session.account = :account::text
       AND session.id = :session::uuid
       AND session.closed_at IS NULL
       AND session.expires_at > now()
       AND number.caller IS NOT NULL
    RETURNING id, caller, started_at
), new_leg AS (
    INSERT INTO leg (call, role, channel_id, party_number, started_at)
    SELECT id, 'a', :channel_id::text, caller, started_at FROM new_call
    RETURNING id
)
SELECT id, pg_notify('bridge_orders', '') FROM new_leg;

-- name: take_order$
-- The oldest call that was ordered and that no bridge carries; it is this one's from now on.
UPDATE call
   SET node = :node::text
 WHERE id = (SELECT id FROM call
              WHERE node IS NULL AND ended_at IS NULL
              ORDER BY started_at
              LIMIT 1
                FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: look_up_order^
-- What is known of a call that was ordered: as of an inbound one, without the call itself.  Calls of
-- :over do not count as up, whatever their rows say, and of :made as made.
WITH held AS (
    SELECT id AS call_id, session, caller_side, virtual_number AS dialled, caller, started_at,
           hangup_asked_at
      FROM call
     WHERE id = :call_id::uuid
)
SELECT now() AS now, held.call_id, held.dialled, held.caller, held.started_at, held.caller_side,
       held.hangup_asked_at IS NOT NULL AS cancelled,
       coalesce(used.in_service, false) AS number_in_service,
       coalesce(used.is_full, false) AS number_is_full,
       coalesce(used.account_is_full, false) AS account_is_full,
       used.account AS number_account, used.webhooks, used.fallback_number, used.fallback_play_url,
       EXISTS (SELECT FROM virtual_number
                WHERE number = held.caller AND state <> 'retired') AS caller_is_ours,
       EXISTS (SELECT FROM virtual_number
                WHERE number = CASE held.caller_side
                          WHEN 'first' THEN coalesce(session.second_party, session.last_counterpart)
                          ELSE coalesce(session.first_party, session.last_counterpart)
                          END
                  AND state <> 'retired') AS callee_is_ours,
       coalesce(session.options ->> 'min_attestation', account.min_attestation)
           <> ALL (:met::text[]) AS unattested,
       calls_up(held.session, held.call_id || :over::text[]::uuid[]) AS calls_up,
       session.calls_made + unwritten.calls AS calls_made,
       session.seconds_talked + unwritten.seconds AS seconds_talked, session.last_counterpart,
       session.id, session.account, session.first_party, session.second_party,
       session.first_party_alternates, session.second_party_alternates, session.virtual_number,
       session.second_virtual_number, session.direction, session.created_at, session.modified_at,
       session.valid_from, session.expires_at, session.closed_at, session.ring_timeout,
       session.call_time_limit, session.max_calls, session.max_total_duration, session.options
  FROM held
  JOIN session_use AS session ON session.id = held.session
  JOIN account ON account.auth_id = session.account
  LEFT JOIN LATERAL (  -- calls that are over, and not yet written so, were made all the same
       SELECT count(*) AS calls,
              coalesce(ceil(extract(epoch FROM sum(now() - call.answered_at))), 0)::integer AS seconds
         FROM call
        WHERE call.id = ANY (:made::text[]::uuid[])
          AND call.session = session.id
          AND call.ended_at IS NULL) AS unwritten ON true
  LEFT JOIN number_use(held.dialled, held.call_id || :over::text[]::uuid[]) AS used ON true;
