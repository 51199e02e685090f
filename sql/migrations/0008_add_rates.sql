-- Money, in whatever currency the rates are.  What a leg or a session cost is written down with it, so
-- that rates which change later do not change the past.

CREATE TABLE rate (
    trunk            text NOT NULL,
    direction        text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    prefix           text NOT NULL CHECK (prefix ~ '^([1-9][0-9]{0,14})?$'),  -- first digits of the destination
    valid_from       date NOT NULL,                 -- 0:00 UTC, until a later rate of the same prefix
    price_per_minute numeric(12,6) NOT NULL CHECK (price_per_minute >= 0),
    connection_fee   numeric(12,6) NOT NULL DEFAULT 0 CHECK (connection_fee >= 0),  -- of an answered leg
    first_seconds    integer NOT NULL DEFAULT 1 CHECK (first_seconds > 0),   -- paid for by whoever talks at all
    next_seconds     integer NOT NULL DEFAULT 1 CHECK (next_seconds > 0),    -- and then in steps of this length
    PRIMARY KEY (trunk, direction, prefix, valid_from)
);

-- Null: of a leg that has not ended, or was written before there were rates.  It cost nothing, and its
-- seconds are those begun from its answer to its end.
ALTER TABLE leg
    ADD COLUMN billed_seconds integer CHECK (billed_seconds >= 0),
    ADD COLUMN rate           numeric(12,6) CHECK (rate >= 0),     -- per minute
    ADD COLUMN amount         numeric(18,6) CHECK (amount >= 0);   -- connection fee included

ALTER TABLE account
    ADD COLUMN session_fee numeric(12,6) NOT NULL DEFAULT 0 CHECK (session_fee >= 0);  -- of a session made now
ALTER TABLE session
    ADD COLUMN amount numeric(12,6) NOT NULL DEFAULT 0 CHECK (amount >= 0);  -- what making it cost
