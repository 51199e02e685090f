-- A session, and how much of what it may take it has had: what a call of it is decided by.
CREATE VIEW session_use AS
SELECT session.id, session.account, session.first_party, session.second_party,
       session.first_party_alternates, session.second_party_alternates, session.virtual_number,
       session.second_virtual_number, session.direction, session.created_at, session.modified_at,
       session.valid_from, session.expires_at, session.closed_at, session.ring_timeout,
       session.call_time_limit, session.max_calls, session.max_total_duration, session.options,
       CASE WHEN session.max_calls IS NOT NULL
            THEN (SELECT count(*) FROM call
                   WHERE call.session = session.id AND call.disposition <> 'refused')
            ELSE 0 END AS calls_made,
       CASE WHEN session.max_total_duration IS NOT NULL
            THEN (SELECT coalesce(ceil(extract(epoch FROM sum(ended_at - answered_at))), 0)
                    FROM call
                   WHERE call.session = session.id)::integer
            ELSE 0 END AS seconds_talked,
       CASE WHEN session.first_party IS NULL THEN last_counterpart(session.id, 'first')
            WHEN session.second_party IS NULL THEN last_counterpart(session.id, 'second')
            END AS last_counterpart
  FROM session;
