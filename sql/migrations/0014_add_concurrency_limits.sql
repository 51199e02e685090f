-- How many calls may be up at once on a number and in an account, and what is known of a number
-- that is dialled.

ALTER TABLE account
    ADD COLUMN max_concurrent_calls integer CHECK (max_concurrent_calls > 0);  -- null: no limit
ALTER TABLE virtual_number
    ADD COLUMN max_concurrent_calls integer CHECK (max_concurrent_calls > 0);

CREATE INDEX call_live_number ON call (virtual_number) WHERE ended_at IS NULL;

-- As in 0005, with the new column.
DROP VIEW pool_number;
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

-- Whether a number takes calls, and whether it or its account has as many as it may, but for one
-- call.  No row: it is not in the pool.
CREATE FUNCTION number_use(dialled text, but_for uuid)
RETURNS TABLE (in_service boolean, is_full boolean, account_is_full boolean)
LANGUAGE sql STABLE AS $$
    SELECT pooled.state IN ('active', 'draining'),
           pooled.max_concurrent_calls IS NOT NULL
           AND (SELECT count(*)
                  FROM call
                 WHERE call.virtual_number = $1
                   AND call.ended_at IS NULL
                   AND call.id <> $2) >= pooled.max_concurrent_calls,
           account.max_concurrent_calls IS NOT NULL
           AND (SELECT count(*)
                  FROM call
                  JOIN virtual_number AS its ON its.number = call.virtual_number
                 WHERE its.account = account.auth_id
                   AND call.ended_at IS NULL
                   AND call.id <> $2) >= account.max_concurrent_calls
      FROM virtual_number AS pooled
      JOIN account ON account.auth_id = pooled.account
     WHERE pooled.number = $1
$$;
