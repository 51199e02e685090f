-- What the network does on behalf of neither phone has a name, and calls that a network blocked as
-- spam can be counted by the virtual number that they showed.

ALTER TABLE call
    DROP CONSTRAINT call_hung_up_by_check,
    ADD CONSTRAINT call_hung_up_by_check
        CHECK (hung_up_by IN ('caller', 'callee', 'bridge', 'carrier', 'unknown'))
        NOT VALID,  -- what there is need not be looked at: less was allowed
    -- What the phone that was called last was shown; null: the number that was dialled, or nothing.
    ADD COLUMN shown_number text;

CREATE INDEX call_blocked ON call (coalesce(shown_number, virtual_number), ended_at)
 WHERE reason IN ('blocked-as-spam', 'first-blocked-as-spam');
