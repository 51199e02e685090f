-- What the network does on behalf of neither phone has a name, and calls that a network blocked as
-- spam can be counted by the virtual number that they showed.

ALTER TABLE call
    DROP CONSTRAINT call_hung_up_by_check,
    ADD CONSTRAINT call_hung_up_by_check
        CHECK (hung_up_by IN ('caller', 'callee', 'bridge', 'carrier', 'unknown'))
        NOT VALID,  -- what there is need not be looked at: less was allowed
    -- What the phone that was called last was shown; null: the number that was dialled, or nothing.
    ADD COLUMN shown_number text;

CREATE INDEX call_blocked ON call (coalesce(shown_number, virtual_number), ended_at)
 WHERE reason IN ('blocked-as-spam', 'first-blocked-as-spam');

-- As in 0022 and 0016, but for several calls: those that the bridge that asks has seen end, and not yet
-- written down, are not up.
CREATE FUNCTION calls_up(of_session uuid, but_for uuid[]) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT FROM session WHERE id = of_session FOR NO KEY UPDATE;
    SELECT count(*)
      FROM call
     WHERE session = of_session AND ended_at IS NULL AND id <> ALL (but_for);
$$;

CREATE FUNCTION number_use(dialled text, but_for uuid[])
RETURNS TABLE (in_service boolean, is_full boolean, account_is_full boolean, account text,
               webhooks jsonb, fallback_number text, fallback_play_url text)
LANGUAGE sql STABLE AS $$
    SELECT pooled.state IN ('active', 'draining'),
           pooled.max_concurrent_calls IS NOT NULL
           AND (SELECT count(*)
                  FROM call
                 WHERE call.virtual_number = $1
                   AND call.ended_at IS NULL
                   AND call.id <> ALL ($2)) >= pooled.max_concurrent_calls,
           account.max_concurrent_calls IS NOT NULL
           AND (SELECT count(*)
                  FROM call
                  JOIN virtual_number AS its ON its.number = call.virtual_number
                 WHERE its.account = account.auth_id
                   AND call.ended_at IS NULL
                   AND call.id <> ALL ($2)) >= account.max_concurrent_calls,
           account.auth_id, account.webhooks, pooled.fallback_number, pooled.fallback_play_url
      FROM virtual_number AS pooled
      JOIN account ON account.auth_id = pooled.account
     WHERE pooled.number = $1
$$;
