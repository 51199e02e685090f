-- Whose turn an event waits for, and finding events by what became of them.

-- An event waits for those before it that go the same way, and for no others: whoever takes recordings
-- and is away holds up nobody who takes the rest, and what is sent again nothing that is new.

CREATE FUNCTION endpoint_of(event_name text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN event_name LIKE 'SessionRecording%' THEN 'recording_callback' ELSE 'callback' END;

CREATE OR REPLACE FUNCTION url_for(event_name text, options jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN options ->> (endpoint_of(event_name) || '_url');

-- Whether one receiver takes all events of a session, which it then gets in one order.
CREATE FUNCTION has_one_receiver(options jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN options ->> 'callback_url' IS NOT DISTINCT FROM options ->> 'recording_callback_url';

ALTER TABLE delivery
    ADD COLUMN endpoint text NOT NULL DEFAULT 'callback'
        CHECK (endpoint IN ('callback', 'recording_callback')),
    ADD COLUMN again    boolean NOT NULL DEFAULT false;     -- sent once more, for somebody asked
UPDATE delivery
   SET endpoint = endpoint_of(event.name)
  FROM event
 WHERE event.id = delivery.event
   AND endpoint_of(event.name) <> 'callback';

DROP INDEX delivery_pending;
CREATE INDEX delivery_pending ON delivery (session, again, sequence) WHERE state = 'pending';

-- What became of an account's events is found without looking through those of which something else
-- did: by its delivery, or that it is told to nobody.
CREATE INDEX delivery_listed ON delivery (account, state, happened_at, sequence, event);
DROP INDEX delivery_dead;

ALTER TABLE event ADD COLUMN untold boolean NOT NULL DEFAULT false;
UPDATE event SET untold = true WHERE NOT EXISTS (SELECT FROM delivery WHERE delivery.event = event.id);
CREATE INDEX event_untold ON event (account, happened_at, coalesce(sequence, 0), id) WHERE untold;

CREATE FUNCTION note_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.untold := (SELECT url_for(NEW.name, options) FROM session WHERE id = NEW.session) IS NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER event_may_be_untold BEFORE INSERT ON event
    FOR EACH ROW EXECUTE FUNCTION note_untold();

-- As in 0020, with the new columns; and whoever sends events is woken for those that are to be sent,
-- and by no others: most go nowhere, and each was looked for in vain.  Whoever looks on hears of all.
CREATE OR REPLACE FUNCTION queue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    destination constant text := endpoint_of(NEW.name);
    url text;
    in_one_order boolean;
BEGIN
    IF NOT NEW.untold THEN
        SELECT url_for(NEW.name, options), has_one_receiver(options)
          INTO url, in_one_order
          FROM session
         WHERE id = NEW.session;
        -- Whoever has to wait for those before it is not looked at before.
        INSERT INTO delivery (event, account, session, sequence, happened_at, host, endpoint,
                              next_attempt_at)
        VALUES (NEW.id, NEW.account, NEW.session, NEW.sequence, NEW.happened_at, host_of(url),
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

CREATE OR REPLACE FUNCTION redirect_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE delivery
       SET host = host_of(NEW.options ->> (delivery.endpoint || '_url')), next_attempt_at = now()
      FROM (SELECT event
              FROM delivery
             WHERE session = NEW.id
               AND state = 'pending'
               FOR UPDATE SKIP LOCKED) AS pending
     WHERE delivery.event = pending.event;
    PERFORM pg_notify('bridge_deliveries', '');
    RETURN NULL;
END $$;
