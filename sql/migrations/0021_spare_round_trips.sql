-- Fewer questions to Postgres for each call.

-- Whose call it is, and what has been told of it; no row if it is no session's.  The session stays
-- locked until the transaction ends: whoever changes a call begins with this, also within the
-- statement that changes it.
CREATE FUNCTION begin_tale(of_call uuid)
RETURNS TABLE (session_id uuid, account text, caller_side text, told text[], tells_all boolean,
               prolongs boolean, landed_at timestamptz)
ROWS 1 LANGUAGE plpgsql AS $$
DECLARE
    locked uuid;
BEGIN
    SELECT session.id
      INTO locked
      FROM session
     WHERE session.id = (SELECT call.session FROM call WHERE call.id = of_call)
       FOR NO KEY UPDATE;
    RETURN QUERY  -- with a snapshot of its own: all that was told by whoever had the lock before
    SELECT session.id, session.account, call.caller_side,
           ARRAY(SELECT event.name FROM event WHERE event.call = call.id),
           coalesce(session.options ->> 'callback_events' = 'all', false),
           session.expiry_after_last_call IS NOT NULL,
           CASE WHEN call.origin = 'inbound' THEN call.started_at END
      FROM call
      JOIN session ON session.id = call.session
     WHERE call.id = of_call
       AND session.id = locked;
END $$;
