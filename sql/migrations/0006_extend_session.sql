-- Sessions of one party, of two numbers, of several phones; their limits, their end, their history.

ALTER TABLE session
    ALTER COLUMN first_party DROP NOT NULL,
    ALTER COLUMN second_party DROP NOT NULL,
    ADD COLUMN single_party           boolean NOT NULL DEFAULT false,  -- one of the two may be missing
    ADD COLUMN first_party_alternates  text[] NOT NULL DEFAULT '{}',   -- further numbers of that party
    ADD COLUMN second_party_alternates text[] NOT NULL DEFAULT '{}',
    ADD COLUMN second_virtual_number  e164 REFERENCES virtual_number,  -- what the second party calls, if another
    ADD COLUMN subaccount             text REFERENCES subaccount,
    ADD COLUMN direction              text NOT NULL DEFAULT 'two-way'  -- one-way: the first calls the second
                                      CHECK (direction IN ('one-way', 'two-way')),
    ADD COLUMN valid_from             timestamptz,                     -- no calls before
    ADD COLUMN expiry_after_last_call integer CHECK (expiry_after_last_call > 0),  -- seconds: each call prolongs
    ADD COLUMN max_calls              integer CHECK (max_calls > 0),
    ADD COLUMN max_total_duration     integer CHECK (max_total_duration > 0),      -- seconds talked, over all calls
    ADD COLUMN client_reference_id    text,
    ADD COLUMN metadata               jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    ADD COLUMN over_at                timestamptz,  -- its end was noted, and told: once
    ADD COLUMN event_count            integer NOT NULL DEFAULT 0,
    ADD CHECK (num_nonnulls(first_party, second_party) = 2
               OR single_party AND num_nonnulls(first_party, second_party) = 1);
UPDATE session SET over_at = coalesce(closed_at, expires_at)
 WHERE closed_at IS NOT NULL OR expires_at <= now();
DROP INDEX session_account_newest;
CREATE INDEX session_newest ON session (account, created_at DESC, id DESC);
CREATE INDEX session_due ON session (expires_at) WHERE over_at IS NULL;
CREATE INDEX session_subaccount ON session (subaccount) WHERE subaccount IS NOT NULL;
CREATE UNIQUE INDEX session_client_reference ON session (account, client_reference_id);
CREATE INDEX session_metadata ON session USING gin (metadata jsonb_path_ops);

-- A number on which whoever is no party of another session reaches the one party of this one: by
-- construction there is at most one such session on a number.
CREATE TABLE open_route (
    virtual_number e164 PRIMARY KEY REFERENCES virtual_number,
    session        uuid NOT NULL REFERENCES session,
    side           text NOT NULL CHECK (side IN ('first', 'second')),  -- that of whoever calls
    held_until     timestamptz NOT NULL
);
CREATE INDEX open_route_session ON open_route (session);

-- The number that the missing party of a session last called from: whom its one party reaches.
CREATE FUNCTION last_counterpart(of_session uuid, missing_side text) RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT caller
              FROM call
             WHERE session = of_session
               AND caller_side = missing_side
               AND disposition IS DISTINCT FROM 'refused'
             ORDER BY started_at DESC
             LIMIT 1);

-- What became of a session, by whose hand and why.
CREATE TABLE session_history (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session uuid NOT NULL REFERENCES session,
    at      timestamptz NOT NULL DEFAULT now(),
    what    text NOT NULL CHECK (what IN ('created', 'updated', 'prolonged', 'closed', 'expired')),
    actor   text NOT NULL,                  -- a token's name and id, or the clock
    reason  text NOT NULL DEFAULT '',
    changed text[] NOT NULL DEFAULT '{}'    -- names of the arguments, never their values
);
CREATE INDEX session_history_session ON session_history (session, id);

-- What customers are to be told, written in the transaction that makes it true.
CREATE TABLE event (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account     text NOT NULL REFERENCES account,
    session     uuid REFERENCES session,    -- null: about the account
    sequence    integer,                    -- from 1 in each session
    name        text NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now(),
    attributes  jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    UNIQUE (session, sequence),
    CHECK ((session IS NULL) = (sequence IS NULL))
);
CREATE INDEX event_account ON event (account, happened_at);

-- A call that its customer wants ended: by the bridge that carries it, wherever it was asked for.
ALTER TABLE call ADD COLUMN hangup_asked_at timestamptz;
CREATE INDEX call_hangup_asked ON call (node) WHERE ended_at IS NULL AND hangup_asked_at IS NOT NULL;

DROP VIEW session_report;  -- made anew by 0009, with what else there is by then
