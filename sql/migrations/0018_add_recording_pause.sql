-- A recording can be paused: what its customer wants, and what its bridge has done about it.

ALTER TABLE recording
    ADD COLUMN pause_wanted boolean NOT NULL DEFAULT false,
    ADD COLUMN paused_at    timestamptz,                       -- since when; null: it goes on
    ADD COLUMN paused_for   interval NOT NULL DEFAULT '0';     -- in pauses that are over
