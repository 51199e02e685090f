-- What was recorded of calls.  A recording is of the leg that came in, where a customer wants one.

-- name: find_recording^
SELECT recording.id, recording.format, recording.started_at, recording.ended_at,
       recording.bytes AS size, recording.sha256, now() AS seen_at, call.session,
       call.virtual_number, leg.id AS leg, leg.party_number AS caller
  FROM recording
  JOIN call ON call.id = recording.call
  JOIN session ON session.id = call.session
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
 WHERE session.account = :account::text AND recording.id = :id::uuid;

-- name: list_recordings
-- Newest first.  A recording is added when it ends.
SELECT recording.id, recording.format, recording.started_at, recording.ended_at,
       recording.bytes AS size, recording.sha256, now() AS seen_at, call.session,
       call.virtual_number, leg.id AS leg, leg.party_number AS caller
  FROM recording
  JOIN call ON call.id = recording.call
  JOIN session ON session.id = call.session
  JOIN leg ON leg.call = call.id AND leg.role = 'a'
 WHERE session.account = :account::text
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
   AND (:leg::uuid IS NULL
        OR EXISTS (SELECT FROM leg AS either WHERE either.call = call.id AND either.id = :leg::uuid))
   AND (:subaccount::text IS NULL OR session.subaccount = :subaccount::text)
   AND (:caller::text IS NULL OR leg.party_number = :caller::text)
   AND (:virtual_number::text IS NULL OR call.virtual_number = :virtual_number::text)
   AND (:added_from::timestamptz IS NULL OR recording.ended_at >= :added_from::timestamptz)
   AND (:added_to::timestamptz IS NULL OR recording.ended_at < :added_to::timestamptz);
