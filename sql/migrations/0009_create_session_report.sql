-- Sessions with their state by the database's clock.
CREATE VIEW session_state AS
SELECT session.*,
       CASE WHEN EXISTS (SELECT FROM call WHERE call.session = session.id AND call.ended_at IS NULL)
            THEN 'in-progress'
            WHEN session.closed_at IS NOT NULL OR session.expires_at <= now() THEN 'expired'
            ELSE 'active' END AS status
  FROM session;

-- And with what was said in them, and what it cost.  A leg counts from its answer to its end, in
-- whole seconds begun; for money in the steps of its rate.
CREATE VIEW session_report AS
SELECT session_state.*,
       talk.leg_count, talk.billed_seconds, talk.calls_amount, talk.last_interaction_at,
       talk.interactions
  FROM session_state
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(one.leg_count), 0)::integer AS leg_count,
              coalesce(sum(one.billed_seconds), 0)::integer AS billed_seconds,
              coalesce(sum(one.amount), 0) AS calls_amount,
              max(one.ended_at) AS last_interaction_at,
              jsonb_agg(jsonb_build_object(
                  'started_at', one.started_at, 'ended_at', one.ended_at,
                  'first_leg', one.first_leg, 'second_leg', one.second_leg,
                  'leg_count', one.leg_count, 'seconds', one.seconds,
                  'billed_seconds', one.billed_seconds, 'amount', one.amount::text,
                  'recording', one.recording
              ) ORDER BY one.started_at) AS interactions
         FROM (
              SELECT call.started_at, call.ended_at, count(leg.id) AS leg_count,
                     coalesce(sum(ceil(extract(epoch FROM leg.ended_at - leg.answered_at))), 0)
                         AS seconds,
                     coalesce(sum(coalesce(
                         leg.billed_seconds,
                         ceil(extract(epoch FROM leg.ended_at - leg.answered_at)))), 0)
                         AS billed_seconds,
                     coalesce(sum(leg.amount), 0) AS amount,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'first')) AS first_leg,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'second')) AS second_leg,
                     (SELECT min(recording.id::text) FROM recording WHERE recording.call = call.id)
                         AS recording
                FROM call
                LEFT JOIN leg ON leg.call = call.id
               WHERE call.session = session_state.id
                 AND call.disposition IS DISTINCT FROM 'refused'
               GROUP BY call.id
         ) AS one
  ) AS talk;
