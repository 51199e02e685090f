-- How the parties' numbers are shown in an account's events, and who was shown them all the same; and
-- what keeps a receiver that is away from costing others time, or us room without end.

-- What is due is looked for host by host.
CREATE INDEX delivery_host ON delivery (host, next_attempt_at) WHERE state = 'pending';
DROP INDEX delivery_due;
CREATE INDEX delivery_age ON delivery (due_since) WHERE state = 'pending';

ALTER TABLE account
    ADD COLUMN event_privacy text NOT NULL DEFAULT 'full'
        CHECK (event_privacy IN ('full', 'last2', 'token')),
    -- 244 random bits of Postgres' own, of which an account's tokens are made; shown to nobody.
    ADD COLUMN event_key     bytea NOT NULL
        DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());

-- No reference to the event: it is remembered for longer.
CREATE TABLE reveal (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account     text NOT NULL REFERENCES account,
    event       uuid NOT NULL,
    event_name  text NOT NULL,
    session     uuid,
    actor       text NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    revealed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reveal_account ON reveal (account, revealed_at, id);

-- With the numbers at which the two parties of a session are in a call, or in general, where all
-- events are told; and how numbers are to be shown.  A call may have asked for the PIN of one session
-- and have gone on in another: of whom it reached there the first is told nothing.
CREATE OR REPLACE VIEW event_report AS
SELECT event.id, event.account, event.session, event.sequence, event.name, event.happened_at,
       event.attributes, call.caller, called.callee,
       coalesce(call.virtual_number, session.virtual_number) AS virtual_number,
       coalesce(delivery.state, 'none') AS state, coalesce(delivery.attempts, 0) AS attempts,
       delivery.next_attempt_at, delivery.delivered_at, delivery.last_error, event.written_in,
       CASE WHEN session.options ->> 'callback_events' = 'all'
            THEN CASE own.side WHEN 'first' THEN call.caller WHEN 'second' THEN called.callee
                      ELSE session.first_party END
            END AS first_party,
       CASE WHEN session.options ->> 'callback_events' = 'all'
            THEN CASE own.side WHEN 'second' THEN call.caller WHEN 'first' THEN called.callee
                      ELSE session.second_party END
            END AS second_party,
       account.event_privacy, account.event_key
  FROM event
  JOIN account ON account.auth_id = event.account
  LEFT JOIN delivery ON delivery.event = event.id
  LEFT JOIN session ON session.id = event.session
  LEFT JOIN call ON call.id = event.call
  LEFT JOIN leg ON leg.call = call.id AND leg.role = 'b' AND call.session = event.session
 CROSS JOIN LATERAL (
       SELECT CASE WHEN call.session = event.session THEN call.caller_side END AS side) AS own
 CROSS JOIN LATERAL (
       SELECT coalesce(leg.party_number,
                       CASE WHEN call.session = event.session THEN call.redirected_to END,
                       CASE own.side
                            WHEN 'first' THEN coalesce(session.second_party,
                                                       last_counterpart(session.id, 'second'))
                            WHEN 'second' THEN coalesce(session.first_party,
                                                        last_counterpart(session.id, 'first'))
                            END) AS callee) AS called;
