-- How long a pair rests after its session: for that time nobody who calls the number of a
-- conversation that is over can reach somebody else's.

ALTER TABLE session ADD COLUMN cooloff integer NOT NULL DEFAULT 0 CHECK (cooloff >= 0);  -- seconds

UPDATE session
   SET cooloff = coalesce((options->>'virtual_number_cooloff_period')::integer, 0),
       options = options - 'virtual_number_cooloff_period';

-- As before, with the cool-off period last.
CREATE OR REPLACE VIEW session_report AS
SELECT session.id, session.account, session.first_party, session.second_party,
       session.virtual_number, session.created_at, session.modified_at, session.expires_at,
       session.closed_at, session.ring_timeout, session.call_time_limit, session.options,
       CASE WHEN talk.calls_up > 0 THEN 'in-progress'
            WHEN session.closed_at IS NOT NULL OR session.expires_at <= now() THEN 'expired'
            ELSE 'active' END AS status,
       talk.leg_count, talk.billed_seconds, talk.last_interaction_at, talk.interactions,
       session.cooloff
  FROM session
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE one.ended_at IS NULL) AS calls_up,
              coalesce(sum(one.leg_count), 0)::integer AS leg_count,
              coalesce(sum(one.seconds), 0)::integer AS billed_seconds,
              max(one.ended_at) AS last_interaction_at,
              jsonb_agg(jsonb_build_object(
                  'started_at', one.started_at, 'ended_at', one.ended_at,
                  'first_leg', one.first_leg, 'second_leg', one.second_leg,
                  'leg_count', one.leg_count, 'seconds', one.seconds
              ) ORDER BY one.started_at) AS interactions
         FROM (
              SELECT call.id, call.started_at, call.ended_at, count(leg.id) AS leg_count,
                     coalesce(sum(ceil(extract(epoch FROM leg.ended_at - leg.answered_at))), 0)
                         AS seconds,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'first')) AS first_leg,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'second')) AS second_leg
                FROM call
                LEFT JOIN leg ON leg.call = call.id
               WHERE call.session = session.id
                 AND call.disposition IS DISTINCT FROM 'refused'
               GROUP BY call.id
         ) AS one
  ) AS talk;
