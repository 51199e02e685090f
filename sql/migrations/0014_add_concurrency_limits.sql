-- How many calls may be up at once on a number and in an account.

ALTER TABLE account
    ADD COLUMN max_concurrent_calls integer CHECK (max_concurrent_calls > 0);  -- null: no limit
ALTER TABLE virtual_number
    ADD COLUMN max_concurrent_calls integer CHECK (max_concurrent_calls > 0);

CREATE INDEX call_live_number ON call (virtual_number) WHERE ended_at IS NULL;
