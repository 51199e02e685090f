-- What was recorded of calls.  A recording is of the leg that came in, where a customer wants one.

-- name: find_recording^
SELECT recording.id, recording.format, recording.state, recording.failure, recording.started_at,
       recording.ended_at, recording.paused_for,
       recording.state = 'in-progress' AND recording.paused_at IS NOT NULL AS paused,
       recording.bytes AS size, recording.sha256, recording.consent, now() AS seen_at, call.session,
       call.virtual_number, leg.id AS leg, leg.party_number AS caller
  FROM recording
  JOIN call ON call.id = recording.call
  JOIN session ON session.id = call.session
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
 WHERE session.account = :account::text
   AND recording.id = :id::uuid
   AND recording.state <> 'removed';

-- name: list_recordings
-- Newest first.  A recording is added when it ends.
SELECT recording.id, recording.format, recording.state, recording.failure, recording.started_at,
       recording.ended_at, recording.paused_for,
       recording.state = 'in-progress' AND recording.paused_at IS NOT NULL AS paused,
       recording.bytes AS size, recording.sha256, recording.consent, now() AS seen_at, call.session,
       call.virtual_number, leg.id AS leg, leg.party_number AS caller
  FROM recording
  JOIN call ON call.id = recording.call
  JOIN session ON session.id = call.session
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
 WHERE session.account = :account::text
   AND recording.state <> 'removed'
   AND (:leg::uuid IS NULL
        OR EXISTS (SELECT FROM leg AS either WHERE either.call = call.id AND either.id = :leg::uuid))
   AND (:subaccount::text IS NULL OR session.subaccount = :subaccount::text)
   AND (:caller::text IS NULL OR leg.party_number = :caller::text)
   AND (:virtual_number::text IS NULL OR call.virtual_number = :virtual_number::text)
   AND (:added_from::timestamptz IS NULL OR recording.ended_at >= :added_from::timestamptz)
   AND (:added_to::timestamptz IS NULL OR recording.ended_at < :added_to::timestamptz)
 ORDER BY recording.started_at DESC, recording.id
 LIMIT :limit::integer OFFSET :offset::integer;

-- name: count_recordings$
-- The conditions of list_recordings.
SELECT count(*)
  FROM recording
  JOIN call ON call.id = recording.call
  JOIN session ON session.id = call.session
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
 WHERE session.account = :account::text
   AND recording.state <> 'removed'
   AND (:leg::uuid IS NULL
        OR EXISTS (SELECT FROM leg AS either WHERE either.call = call.id AND either.id = :leg::uuid))
   AND (:subaccount::text IS NULL OR session.subaccount = :subaccount::text)
   AND (:caller::text IS NULL OR leg.party_number = :caller::text)
   AND (:virtual_number::text IS NULL OR call.virtual_number = :virtual_number::text)
   AND (:added_from::timestamptz IS NULL OR recording.ended_at >= :added_from::timestamptz)
   AND (:added_to::timestamptz IS NULL OR recording.ended_at < :added_to::timestamptz);

-- name: find_any_recording^
-- For the bearer of a signed URL, of whatever account; its state tells whether it still is.
SELECT recording.id, recording.format, recording.state, recording.bytes AS size, recording.sha256
  FROM recording
 WHERE recording.id = :id::uuid;

-- name: insert_recording^
-- No row: it was written already.
INSERT INTO recording (id, call, format, state, failure, started_at, consent)
VALUES (:id::uuid, :call_id::uuid, :format::text, :state::text, :failure::text,
        coalesce(:started_at::timestamptz, now()), :consent::jsonb)
ON CONFLICT (id) DO NOTHING
RETURNING id, format, failure, started_at, ended_at, paused_for, started_at AS at;

-- name: find_raw_recordings
-- What a node has still to convert, oldest first: Asterisk closes a file a moment after its call.
SELECT recording.id, recording.call AS call_id, recording.format, recording.started_at,
       call.ended_at AS call_ended_at,
       recording.paused_for + coalesce(call.ended_at - recording.paused_at, '0')
           AS paused_for
  FROM recording
  JOIN call ON call.id = recording.call
 WHERE recording.state = 'in-progress'
   AND call.node = :node::text
   AND call.ended_at < now() - make_interval(secs => :settled::integer)
 ORDER BY call.ended_at;

-- name: finish_recording^
-- No row: this was done already.
UPDATE recording
   SET state = 'ready',
       failure = :failure::text,
       ended_at = :ended_at::timestamptz,
       paused_for = :paused_for::interval,
       paused_at = NULL,
       bytes = :size::bigint,
       sha256 = :sha256::bytea
 WHERE id = :id::uuid AND state = 'in-progress'
RETURNING id, format, failure, started_at, ended_at, paused_for, now() AS at;

-- name: fail_recording^
-- No row: this was done already.
UPDATE recording
   SET state = 'failed', failure = :failure::text, ended_at = :ended_at::timestamptz
 WHERE id = :id::uuid AND state = 'in-progress'
RETURNING id, format, failure, started_at, ended_at, paused_for, now() AS at;

-- name: delay_recording!
-- It could not be converted for now.
UPDATE recording SET failure = :failure::text WHERE id = :id::uuid AND state = 'in-progress';

-- name: remove_recording^
-- Not given out from now on.  No row: there is none, or its call is still up.
UPDATE recording
   SET state = 'removed', removed_at = now()
  FROM call
  JOIN session ON session.id = call.session
 WHERE recording.id = :id::uuid
   AND recording.call = call.id
   AND session.account = :account::text
   AND recording.state IN ('ready', 'failed')
RETURNING recording.id;

-- name: remove_overdue_recordings!
-- Those whose account keeps them no longer.
UPDATE recording
   SET state = 'removed', removed_at = now()
  FROM call
  JOIN session ON session.id = call.session
  JOIN account ON account.auth_id = session.account
 WHERE recording.call = call.id
   AND recording.state = 'ready'
   AND recording.ended_at < now() - make_interval(days => account.recording_days);

-- name: find_unerased_recordings
SELECT id, format FROM recording WHERE state = 'removed' AND erased_at IS NULL LIMIT 100;

-- name: note_erased!
UPDATE recording SET erased_at = now() WHERE id = :id::uuid AND erased_at IS NULL;

-- name: find_recording_states
SELECT id, state FROM recording WHERE id = ANY(:ids::uuid[]);

-- name: ask_pause^
-- A recording is to be paused, or is to go on; no row if it is not being made, or not theirs.
WITH asked AS (
    UPDATE recording
       SET pause_wanted = :paused::boolean
      FROM call
      JOIN session ON session.id = call.session
     WHERE recording.id = :id::uuid
       AND recording.state = 'in-progress'
       AND call.id = recording.call
       AND call.ended_at IS NULL
       AND session.account = :account::text
    RETURNING call.node
)
SELECT pg_notify('bridge_recording', coalesce(node, '')) FROM asked;

-- name: find_pauses
-- Recordings of one bridge of which it has still to do what is wanted.
SELECT recording.id AS recording_id, recording.call AS call_id, recording.pause_wanted AS paused
  FROM recording
  JOIN call ON call.id = recording.call
 WHERE recording.state = 'in-progress'
   AND call.node = :node::text
   AND call.ended_at IS NULL
   AND recording.pause_wanted <> (recording.paused_at IS NOT NULL);

-- name: note_pause^
-- A recording was paused, or goes on; to say it twice changes nothing.  Its customer may have changed
-- his mind since: then its bridge is to look again.
WITH noted AS (
    UPDATE recording
       SET paused_for = paused_for + CASE WHEN :paused::boolean THEN '0'
                                          ELSE coalesce(:at::timestamptz - paused_at, '0') END,
           paused_at = CASE WHEN :paused::boolean THEN coalesce(paused_at, :at::timestamptz) END
     WHERE id = :id::uuid AND state = 'in-progress'
    RETURNING pause_wanted, paused_at
)
SELECT pg_notify('bridge_recording', '')
  FROM noted
 WHERE pause_wanted <> (paused_at IS NOT NULL);
