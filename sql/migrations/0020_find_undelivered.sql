-- What was not delivered is found by its account without looking through all that was; and goes
-- where its session says now, not waiting for where it was to go before.

ALTER TABLE delivery
    ADD COLUMN account     text,
    ADD COLUMN happened_at timestamptz;
UPDATE delivery
   SET account = event.account, happened_at = event.happened_at
  FROM event
 WHERE event.id = delivery.event;
ALTER TABLE delivery
    ALTER COLUMN account SET NOT NULL,
    ALTER COLUMN happened_at SET NOT NULL;

DROP INDEX delivery_dead;
CREATE INDEX delivery_dead ON delivery (account, happened_at, event) WHERE state = 'dead';
CREATE INDEX delivery_dead_session ON delivery (account, session, sequence) WHERE state = 'dead';

CREATE FUNCTION host_of(url text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN coalesce(lower(substring(url FROM '^[A-Za-z]+://(?:[^/?#]*@)?([^/?#@]*)')), '');

-- Where a session wants events of that name; null: nowhere.
CREATE FUNCTION url_for(event_name text, options jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN options ->> CASE WHEN event_name LIKE 'SessionRecording%' THEN 'recording_callback_url'
                            ELSE 'callback_url' END;

-- As in 0011, with the new columns.
CREATE OR REPLACE FUNCTION queue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    url text;
BEGIN
    SELECT url_for(NEW.name, options)
      INTO url
      FROM session
     WHERE id = NEW.session;
    IF url IS NOT NULL THEN
        -- Whoever has to wait for those before it is not looked at before.
        INSERT INTO delivery (event, account, session, sequence, happened_at, host, next_attempt_at)
        VALUES (NEW.id, NEW.account, NEW.session, NEW.sequence, NEW.happened_at, host_of(url),
                coalesce((SELECT min(next_attempt_at) FROM delivery
                           WHERE session = NEW.session AND state = 'pending'), now()));
    END IF;
    PERFORM pg_notify('bridge_events', '');
    RETURN NULL;
END $$;

-- Whoever changes a session's URL does not wait for the one event that is on its way at the moment.
CREATE FUNCTION redirect_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE delivery
       SET host = host_of(pending.url), next_attempt_at = now()
      FROM (SELECT delivery.event, url_for(event.name, NEW.options) AS url
              FROM delivery
              JOIN event ON event.id = delivery.event
             WHERE delivery.session = NEW.id
               AND delivery.state = 'pending'
               FOR UPDATE OF delivery SKIP LOCKED) AS pending
     WHERE delivery.event = pending.event;
    PERFORM pg_notify('bridge_events', '');
    RETURN NULL;
END $$;
CREATE TRIGGER session_changed_its_urls AFTER UPDATE OF options ON session
    FOR EACH ROW
    WHEN (OLD.options ->> 'callback_url' IS DISTINCT FROM NEW.options ->> 'callback_url'
          OR OLD.options ->> 'recording_callback_url'
             IS DISTINCT FROM NEW.options ->> 'recording_callback_url')
    EXECUTE FUNCTION redirect_delivery();
