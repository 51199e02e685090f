-- What becomes of a recording, and how long an account keeps its own.

-- in-progress: the call is up, or its recording is being converted.  removed: its audio is not
-- given out any more, and is erased soon (erased_at).
ALTER TABLE recording
    ADD COLUMN state      text NOT NULL DEFAULT 'in-progress'
                          CHECK (state IN ('in-progress', 'ready', 'failed', 'removed')),
    ADD COLUMN failure    text,          -- why there is none, or not all of it
    ADD COLUMN removed_at timestamptz,
    ADD COLUMN erased_at  timestamptz;
UPDATE recording SET state = 'ready'
 WHERE ended_at IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL;
ALTER TABLE recording
    ADD CHECK (state <> 'ready' OR (ended_at IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL)),
    ADD CHECK ((state = 'removed') = (removed_at IS NOT NULL));
CREATE INDEX recording_unfinished ON recording (id) WHERE state = 'in-progress';
CREATE INDEX recording_unerased ON recording (id) WHERE state = 'removed' AND erased_at IS NULL;
CREATE INDEX recording_kept ON recording (ended_at) WHERE state = 'ready';

ALTER TABLE account
    ADD COLUMN recording_days integer CHECK (recording_days > 0);   -- null: for ever

-- As in 0009, without recordings that were removed.
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
                     (SELECT min(recording.id::text)
                        FROM recording
                       WHERE recording.call = call.id AND recording.state <> 'removed')
                         AS recording
                FROM call
                LEFT JOIN leg ON leg.call = call.id
               WHERE call.session = session_state.id
                 AND call.disposition IS DISTINCT FROM 'refused'
               GROUP BY call.id
         ) AS one
  ) AS talk;
