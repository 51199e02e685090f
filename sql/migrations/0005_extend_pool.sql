-- The pool: who of an account may use a number, and what may still happen on it.

-- Part of an account, for its accounting.  Its id opens nothing by itself.
CREATE TABLE subaccount (
    auth_id     text PRIMARY KEY CHECK (auth_id ~ '^SA[A-Z0-9]{18}$'),
    account     text NOT NULL REFERENCES account,
    name        text NOT NULL,
    enabled     boolean NOT NULL DEFAULT true,   -- may make new sessions
    created_at  timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz                      -- kept for the sessions that name it
);
CREATE INDEX subaccount_account ON subaccount (account) WHERE removed_at IS NULL;

ALTER TABLE account
    ADD COLUMN countries text[],    -- ISO 3166: where its parties may be; null for anywhere
    ADD CHECK (countries <> '{}');

-- active: given to new sessions.  draining: not given any more, its sessions go on.  quarantined:
-- takes no calls for now either.  retired: out of the pool, kept for the records that name it.
ALTER TABLE virtual_number
    ADD COLUMN subaccount  text REFERENCES subaccount,        -- whose sessions alone may have it
    ADD COLUMN reserved    boolean NOT NULL DEFAULT false,    -- only given when asked for by name
    ADD COLUMN region      text NOT NULL DEFAULT '',          -- in its customer's words
    ADD COLUMN number_type text NOT NULL DEFAULT 'local'
                           CHECK (number_type IN ('local', 'fixed', 'mobile', 'national', 'tollfree')),
    ADD COLUMN state       text NOT NULL DEFAULT 'active'
                           CHECK (state IN ('active', 'draining', 'quarantined', 'retired'));
UPDATE virtual_number SET state = 'retired' WHERE removed_at IS NOT NULL;
ALTER TABLE virtual_number DROP COLUMN removed_at;  -- and with it the index on what was not removed
CREATE INDEX virtual_number_account ON virtual_number (account) WHERE state <> 'retired';

-- Whether a number is somebody's who is a party now: it cannot be a virtual number then.
CREATE INDEX route_party ON route (party_number);

-- What is held of a number, however many pairs it had in its time.
CREATE INDEX route_held ON route (virtual_number, held_until);

-- Numbers, and how many live sessions each is in.
CREATE VIEW pool_number AS
SELECT virtual_number.*,
       (SELECT count(DISTINCT session.id)
          FROM route
          JOIN session ON session.id = route.session
         WHERE route.virtual_number = virtual_number.number
           AND route.held_until > now()
           AND session.closed_at IS NULL
           AND session.expires_at > now())::integer AS live_sessions
  FROM virtual_number;

-- What was recorded of a call; its audio is in a file of that id.
CREATE TABLE recording (
    id         uuid PRIMARY KEY,
    call       uuid NOT NULL REFERENCES call,
    format     text NOT NULL CHECK (format IN ('mp3', 'wav')),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    bytes      bigint CHECK (bytes >= 0),
    sha256     bytea CHECK (octet_length(sha256) = 32)
);
CREATE INDEX recording_call ON recording (call);
