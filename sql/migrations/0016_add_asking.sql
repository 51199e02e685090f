-- Whom an account has asked about its calls, and where calls may go that are not for the other party.

ALTER TABLE account
    ADD COLUMN webhooks jsonb NOT NULL DEFAULT '{}'   -- routing_url and so on, as the API has them
                        CHECK (jsonb_typeof(webhooks) = 'object');

-- What a number has for callers whose session is over.
ALTER TABLE virtual_number
    ADD COLUMN fallback_number   e164,
    ADD COLUMN fallback_play_url text;

-- Whom a call went to in place of the other party.
ALTER TABLE call ADD COLUMN redirected_to e164;

-- As in 0005, with the new columns, and those of 0014.
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

-- Whether a number takes calls, whether it or its account has as many as it may, but for one call,
-- and what they say of calls.  No row: it is not in the pool.
CREATE FUNCTION number_use(dialled text, but_for uuid)
RETURNS TABLE (in_service boolean, is_full boolean, account_is_full boolean, account text,
               webhooks jsonb, fallback_number text, fallback_play_url text)
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
                   AND call.id <> $2) >= account.max_concurrent_calls,
           account.auth_id, account.webhooks, pooled.fallback_number, pooled.fallback_play_url
      FROM virtual_number AS pooled
      JOIN account ON account.auth_id = pooled.account
     WHERE pooled.number = $1
$$;
