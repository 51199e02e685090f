-- A create request that is sent again, because its answer was lost, gives the session that it made.

CREATE TABLE creation (
    account     text NOT NULL REFERENCES account,
    key         text NOT NULL,      -- "key:" and the client's Idempotency-Key, or "repeat:" and the body's SHA-256
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),  -- SHA-256 of the body
    session     uuid NOT NULL REFERENCES session,
    valid_until timestamptz NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX creation_session ON creation (session);
