-- A session whose number was replaced counts at the one that it has now; those who call the old one
-- still reach it, but it can do without.  Otherwise as in 0016.
CREATE OR REPLACE VIEW pool_number AS
SELECT virtual_number.*,
       (SELECT count(DISTINCT session.id)
          FROM route
          JOIN session ON session.id = route.session
         WHERE route.virtual_number = virtual_number.number
           AND virtual_number.number IN (session.virtual_number, session.second_virtual_number)
           AND route.held_until > now()
           AND session.closed_at IS NULL
           AND session.expires_at > now())::integer AS live_sessions
  FROM virtual_number;
