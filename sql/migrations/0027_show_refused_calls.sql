-- Every call is its account's to see, one without a session too; and an account may be told of those that
-- are refused.

-- Whose virtual number was called, then: a number may be another account's later.  Null: nobody's, as
-- of a number that is not in service.  No reference: a call is not to wait for a lock of its account's
-- row, and accounts are not removed.
ALTER TABLE call ADD COLUMN account text;
UPDATE call SET account = session.account FROM session WHERE session.id = call.session;
UPDATE call
   SET account = virtual_number.account
  FROM virtual_number
 WHERE call.session IS NULL
   AND virtual_number.number = call.virtual_number
   AND call.started_at >= virtual_number.added_at;

-- Whoever writes a call, a program of before too.
CREATE FUNCTION note_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.account := coalesce(
        (SELECT account FROM session WHERE id = NEW.session),
        (SELECT account FROM virtual_number
          WHERE number = NEW.virtual_number AND state <> 'retired'));
    RETURN NEW;
END $$;
CREATE TRIGGER call_is_an_accounts BEFORE INSERT ON call
    FOR EACH ROW EXECUTE FUNCTION note_account();

-- Newest first: all, those of a caller, of a number, and those that ended in one way, which may be few.
-- The way in which most end needs no index: the next of them is never far.
CREATE INDEX call_listed ON call (account, started_at, id);
CREATE INDEX call_of_caller ON call (caller, started_at, id);
CREATE INDEX call_of_number ON call (virtual_number, started_at, id);
CREATE INDEX call_ended_as ON call (account, disposition, started_at, id)
 WHERE disposition <> 'completed';
CREATE INDEX call_ended_for ON call (account, reason, started_at, id) WHERE reason <> 'hung-up';

-- How many refused calls of a number were told, or would have been, in the minute that began at since.
CREATE TABLE refusal_count (
    virtual_number text PRIMARY KEY,
    since          timestamptz NOT NULL,
    calls          integer NOT NULL,
    left_out       integer NOT NULL DEFAULT 0   -- of the minute before
);

-- An event of an account alone goes where the account says.  It waits for no other: where a session's
-- has its session, by which its turn is known, it has itself.
ALTER TABLE delivery DROP CONSTRAINT delivery_session_fkey;
ALTER TABLE delivery DROP CONSTRAINT delivery_endpoint_check;
ALTER TABLE delivery
    ADD CHECK (endpoint IN ('callback', 'recording_callback', 'call_refused'));

CREATE OR REPLACE FUNCTION endpoint_of(event_name text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN event_name LIKE 'SessionRecording%' THEN 'recording_callback'
                WHEN event_name = 'CallRefused' THEN 'call_refused'
                ELSE 'callback' END;

-- Where an event goes; null: nowhere.  Of a session's, its session says it, else its account.
CREATE FUNCTION destination_of(of_account text, of_session uuid, endpoint text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE endpoint
                WHEN 'call_refused' THEN (SELECT webhooks ->> 'call_refused_url'
                                            FROM account
                                           WHERE auth_id = of_account)
                ELSE (SELECT options ->> (endpoint || '_url')
                        FROM session
                       WHERE id = of_session) END
$$;

-- As in 0023, with events that are of an account alone.
CREATE OR REPLACE FUNCTION note_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.untold := destination_of(NEW.account, NEW.session, endpoint_of(NEW.name)) IS NULL;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION queue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    destination constant text := endpoint_of(NEW.name);
    in_one_order boolean;
BEGIN
    IF NOT NEW.untold THEN
        SELECT has_one_receiver(options) INTO in_one_order FROM session WHERE id = NEW.session;
        -- Whoever has to wait for those before it is not looked at before.
        INSERT INTO delivery (event, account, session, sequence, happened_at, host, endpoint,
                              next_attempt_at)
        VALUES (NEW.id, NEW.account, coalesce(NEW.session, NEW.id), coalesce(NEW.sequence, 0),
                NEW.happened_at,
                host_of(destination_of(NEW.account, NEW.session, destination)),
                destination,
                coalesce((SELECT min(next_attempt_at)
                            FROM delivery
                           WHERE session = NEW.session
                             AND state = 'pending'
                             AND NOT again
                             AND (in_one_order OR endpoint = destination)), now()));
        PERFORM pg_notify('bridge_deliveries', '');
    END IF;
    PERFORM pg_notify('bridge_events', '');
    RETURN NULL;
END $$;

-- The leg of that id, or the one with which the call of that id began.
CREATE FUNCTION leg_named(named uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT id FROM leg WHERE id = named),
                    (SELECT id FROM leg WHERE call = named AND role = 'a'))
$$;
