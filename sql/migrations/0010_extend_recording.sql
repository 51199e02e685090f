-- What becomes of a recording, and how long an account keeps its own.

-- in-progress: the call is up, or its recording is being converted.  removed: its audio is not
-- given out any more, and is erased soon (erased_at).
ALTER TABLE recording
    ADD COLUMN state      text NOT NULL DEFAULT 'in-progress'
                          CHECK (state IN ('in-progress', 'ready', 'failed', 'removed')),
    ADD COLUMN failure    text,          -- why there is none, or not all of it
    ADD COLUMN removed_at timestamptz,
    ADD COLUMN erased_at  timestamptz;
UPDATE recording SET state = 'ready' WHERE bytes IS NOT NULL;
ALTER TABLE recording
    ADD CHECK (state <> 'ready' OR (ended_at IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL)),
    ADD CHECK ((state = 'removed') = (removed_at IS NOT NULL));
CREATE INDEX recording_unfinished ON recording (id) WHERE state = 'in-progress';
CREATE INDEX recording_unerased ON recording (id) WHERE state = 'removed' AND erased_at IS NULL;
CREATE INDEX recording_kept ON recording (ended_at) WHERE state = 'ready';

ALTER TABLE account
    ADD COLUMN recording_days integer CHECK (recording_days > 0);   -- null: for ever
