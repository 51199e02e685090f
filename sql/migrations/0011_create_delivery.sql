-- Events on their way to the application: signed, in order, until it has them or they are dead.

-- What proves that an event is ours.  Unlike a token it must be readable, for it signs.  Two are
-- valid while they are being changed.
CREATE TABLE signing_secret (
    account    text NOT NULL REFERENCES account,
    -- 244 random bits of Postgres' own, in the form of standardwebhooks.com
    secret     text NOT NULL DEFAULT 'whsec_' || encode(
                   uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'),
    created_at timestamptz NOT NULL DEFAULT now(),
    retires_at timestamptz,     -- null: the one that stays
    PRIMARY KEY (account, secret)
);
CREATE UNIQUE INDEX signing_secret_current ON signing_secret (account) WHERE retires_at IS NULL;
INSERT INTO signing_secret (account) SELECT auth_id FROM account;

CREATE FUNCTION give_signing_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO signing_secret (account) VALUES (NEW.auth_id);
    RETURN NULL;
END $$;
CREATE TRIGGER account_has_signing_secret AFTER INSERT ON account
    FOR EACH ROW EXECUTE FUNCTION give_signing_secret();

-- The call that an event tells of: its numbers are there, and nowhere else.
ALTER TABLE event ADD COLUMN call uuid REFERENCES call;

-- In which transaction an event was written: whoever says which of them he has seen is given all
-- others, in whatever order they were committed.
ALTER TABLE event ADD COLUMN written_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX event_written ON event (account, written_in);

CREATE UNIQUE INDEX event_of_call ON event (call, name, coalesce(attributes->>'PinRetryCounter', ''))
 WHERE call IS NOT NULL;   -- each thing that happens in a call is told once
CREATE INDEX event_happened ON event (happened_at);

CREATE TABLE delivery (
    event           uuid PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    session         uuid NOT NULL REFERENCES session,
    sequence        integer NOT NULL,
    host            text NOT NULL,      -- whom it goes to: one that is slow is not to hold up others
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    due_since       timestamptz NOT NULL DEFAULT now(),     -- its age counts from here
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    last_error      text,               -- one word; nothing of a URL or an answer
    UNIQUE (session, sequence)
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state = 'pending';
CREATE INDEX delivery_pending ON delivery (session, sequence) WHERE state = 'pending';
CREATE INDEX delivery_dead ON delivery (event) WHERE state = 'dead';

-- Whoever writes an event, and in whatever transaction: it is on its way with it, if its session
-- has somewhere to send it, and whoever waits for events is woken.
CREATE FUNCTION queue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    url text;
BEGIN
    SELECT options ->> CASE WHEN NEW.name LIKE 'SessionRecording%' THEN 'recording_callback_url'
                            ELSE 'callback_url' END
      INTO url
      FROM session
     WHERE id = NEW.session;
    IF url IS NOT NULL THEN
        -- Whoever has to wait for those before it is not looked at before.
        INSERT INTO delivery (event, session, sequence, host, next_attempt_at)
        VALUES (NEW.id, NEW.session, NEW.sequence,
                coalesce(lower(substring(url FROM '^[A-Za-z]+://(?:[^/?#]*@)?([^/?#@]*)')), ''),
                coalesce((SELECT min(next_attempt_at) FROM delivery
                           WHERE session = NEW.session AND state = 'pending'), now()));
    END IF;
    PERFORM pg_notify('bridge_events', '');
    RETURN NULL;
END $$;
CREATE TRIGGER event_is_queued AFTER INSERT ON event
    FOR EACH ROW EXECUTE FUNCTION queue_delivery();

-- Events with the numbers of their calls as they are known now, and how their delivery goes.
CREATE VIEW event_report AS
SELECT event.id, event.account, event.session, event.sequence, event.name, event.happened_at,
       event.attributes, call.caller,
       coalesce(leg.party_number,
                CASE call.caller_side
                     WHEN 'first' THEN coalesce(session.second_party,
                                                last_counterpart(session.id, 'second'))
                     WHEN 'second' THEN coalesce(session.first_party,
                                                 last_counterpart(session.id, 'first'))
                     END) AS callee,
       coalesce(call.virtual_number, session.virtual_number) AS virtual_number,
       coalesce(delivery.state, 'none') AS state, coalesce(delivery.attempts, 0) AS attempts,
       delivery.next_attempt_at, delivery.delivered_at, delivery.last_error, event.written_in
  FROM event
  LEFT JOIN delivery ON delivery.event = event.id
  LEFT JOIN session ON session.id = event.session
  LEFT JOIN call ON call.id = event.call
  LEFT JOIN leg ON leg.call = call.id AND leg.role = 'b';
