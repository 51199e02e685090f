-- What each party was told or asked before its call was recorded, and what it answered: evidence, and
-- so it stays as long as the row does, longer than the audio.

ALTER TABLE recording
    ADD COLUMN consent jsonb NOT NULL DEFAULT '[]'  -- objects of party, announcement, sounds, given,
                       CHECK (jsonb_typeof(consent) = 'array');  -- digit and at

-- As in 0015, with the consent; and of a recording that there is not no id: it would lead nowhere.
CREATE OR REPLACE VIEW session_report AS
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
                  'recording', one.recording,
                  'disposition', one.disposition, 'reason', one.reason, 'fault', one.fault,
                  'hung_up_by', one.hung_up_by, 'failed_with', one.failed_with,
                  'first_answered', one.first_answered, 'second_answered', one.second_answered,
                  'missed_prompts', one.missed_prompts,
                  'recording_consent', one.recording_consent
              ) ORDER BY one.started_at) AS interactions
         FROM (
              SELECT call.started_at, call.ended_at, call.disposition, call.reason, call.fault,
                     call.hung_up_by, call.missed_prompts, count(leg.id) AS leg_count,
                     coalesce(min(leg.hangup_cause) FILTER (WHERE leg.role = 'b'),
                              min(leg.hangup_cause)) AS failed_with,
                     bool_or(leg.answered_at IS NOT NULL) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'first')) AS first_answered,
                     bool_or(leg.answered_at IS NOT NULL) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'second')) AS second_answered,
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
                     (SELECT min(recording.id::text)
                        FROM recording
                       WHERE recording.call = call.id
                         AND recording.state IN ('in-progress', 'ready')) AS recording,
                     (SELECT jsonb_agg(one_of ORDER BY recording.id)
                        FROM recording, jsonb_array_elements(recording.consent) AS one_of
                       WHERE recording.call = call.id) AS recording_consent
                FROM call
                LEFT JOIN leg ON leg.call = call.id
               WHERE call.session = session_state.id
                 AND call.disposition IS DISTINCT FROM 'refused'
               GROUP BY call.id
         ) AS one
  ) AS talk;
