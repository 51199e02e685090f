-- One call of a session at a time, also of those that come in at the same moment.

-- Other calls of a session that have not ended.  Whoever asks waits for its turn with the session's
-- row; volatile, so that it then sees what was written meanwhile and not only what its statement saw.
CREATE FUNCTION calls_up(of_session uuid, but_for uuid) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT FROM session WHERE id = of_session FOR NO KEY UPDATE;
    SELECT count(*)
      FROM call
     WHERE session = of_session AND ended_at IS NULL AND id <> but_for;
$$;
