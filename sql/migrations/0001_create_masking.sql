-- The heart of the service: who may be connected to whom, through which number, and what happened.
-- Times are timestamptz (UTC); numbers are E.164 with the leading "+"; durations are whole seconds.

CREATE DOMAIN e164 AS text CHECK (value ~ '^\+[1-9][0-9]{1,14}$');

CREATE TABLE account (
    auth_id    text PRIMARY KEY CHECK (auth_id ~ '^MA[A-Z0-9]{18}$'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A token is 256 random bits, so a plain SHA-256 of it is as good as a slow hash and costs nothing
-- to check. Several may be valid at once, so that they can be changed without a gap.
CREATE TABLE api_token (
    sha256     bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    account    text NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX api_token_account ON api_token (account);

CREATE TABLE virtual_number (
    number     e164 PRIMARY KEY,
    account    text NOT NULL REFERENCES account,
    alias      text NOT NULL DEFAULT '',
    country    text NOT NULL CHECK (country ~ '^[A-Z0-9]{2,3}$'),  -- ISO 3166, or 001 where a number has no country
    trunk      text NOT NULL DEFAULT 'carrier',
    added_at   timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz            -- kept for the records that name it; a removed number takes no call
);
CREATE INDEX virtual_number_account ON virtual_number (account) WHERE removed_at IS NULL;

CREATE TABLE session (
    id              uuid PRIMARY KEY,
    account         text NOT NULL REFERENCES account,
    first_party     e164 NOT NULL,
    second_party    e164 NOT NULL CHECK (second_party <> first_party),
    virtual_number  e164 NOT NULL REFERENCES virtual_number,
    created_at      timestamptz NOT NULL DEFAULT now(),
    modified_at     timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    closed_at       timestamptz,      -- ended before its time, by the customer
    ring_timeout    integer NOT NULL CHECK (ring_timeout > 0),
    call_time_limit integer NOT NULL CHECK (call_time_limit > 0),
    -- Arguments of the contract that no query of ours looks into (prompts, callbacks, recording).
    options         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object')
);
CREATE INDEX session_account_newest ON session (account, created_at DESC, id);

-- The promise by construction: a (caller, virtual number) pair leads to at most one session.
-- A pair is taken with INSERT … ON CONFLICT DO UPDATE … WHERE held_until <= now(), so an expired
-- one is taken over atomically, and no sweeper stands in the way.
CREATE TABLE route (
    virtual_number e164 NOT NULL REFERENCES virtual_number,
    party_number   e164 NOT NULL,
    session        uuid NOT NULL REFERENCES session,
    side           text NOT NULL CHECK (side IN ('first', 'second')),
    held_until     timestamptz NOT NULL,
    PRIMARY KEY (virtual_number, party_number)
);
CREATE INDEX route_session ON route (session);

-- One masked conversation or the attempt at one (an "interaction" in the API).
-- The row is written before the first command about the call goes to Asterisk.
CREATE TABLE call (
    id             uuid PRIMARY KEY,
    node           text NOT NULL,     -- the bridge process (one per Asterisk) that carries it
    session        uuid REFERENCES session,
    caller_side    text CHECK (caller_side IN ('first', 'second')),
    virtual_number text NOT NULL,     -- as dialled: it may be no number of ours
    caller         e164,              -- null: withheld, or not a number
    started_at     timestamptz NOT NULL,
    ringing_at     timestamptz,
    answered_at    timestamptz,
    ended_at       timestamptz,
    end_is_estimate boolean NOT NULL DEFAULT false,  -- nobody of ours saw the end: the latest it can have been
    disposition    text CHECK (disposition IN ('completed', 'cancelled', 'refused', 'busy', 'no-answer', 'failed')),
    reason         text,
    fault          text CHECK (fault IN ('none', 'caller', 'callee', 'carrier', 'customer', 'us', 'unknown')),
    hung_up_by     text CHECK (hung_up_by IN ('caller', 'callee', 'bridge', 'unknown')),
    CHECK ((ended_at IS NULL) = (disposition IS NULL)),
    CHECK ((session IS NULL) = (caller_side IS NULL))
);
CREATE INDEX call_live ON call (node) WHERE ended_at IS NULL;
CREATE INDEX call_live_session ON call (session) WHERE ended_at IS NULL;
CREATE INDEX call_session ON call (session, started_at);

-- One side of a call: exactly one Asterisk channel.
CREATE TABLE leg (
    id           uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),  -- call_uuid in the API
    call         uuid NOT NULL REFERENCES call,
    role         text NOT NULL CHECK (role IN ('a', 'b')),  -- a came in or was placed first; b we placed
    channel_id   text NOT NULL,
    party_number e164,
    started_at   timestamptz NOT NULL,
    ringing_at   timestamptz,
    answered_at  timestamptz,
    ended_at     timestamptz,
    hangup_cause integer CHECK (hangup_cause BETWEEN 0 AND 127),  -- ITU-T Q.850
    sip_code     integer CHECK (sip_code BETWEEN 100 AND 699),    -- final status of the leg's INVITE
    PRIMARY KEY (call, role)
);

-- A session as its customer sees it: its state by the database's clock, and what was said in it.
-- A leg counts from its answer to its end, in whole seconds begun.
CREATE VIEW session_report AS
SELECT session.id, session.account, session.first_party, session.second_party,
       session.virtual_number, session.created_at, session.modified_at, session.expires_at,
       session.closed_at, session.ring_timeout, session.call_time_limit, session.options,
       CASE WHEN talk.calls_up > 0 THEN 'in-progress'
            WHEN session.closed_at IS NOT NULL OR session.expires_at <= now() THEN 'expired'
            ELSE 'active' END AS status,
       talk.leg_count, talk.billed_seconds, talk.last_interaction_at, talk.interactions
  FROM session
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE one.ended_at IS NULL) AS calls_up,
              coalesce(sum(one.leg_count), 0)::integer AS leg_count,
              coalesce(sum(one.seconds), 0)::integer AS billed_seconds,
              max(one.ended_at) AS last_interaction_at,
              jsonb_agg(jsonb_build_object(
                  'started_at', one.started_at, 'ended_at', one.ended_at,
                  'first_leg', one.first_leg, 'second_leg', one.second_leg,
                  'leg_count', one.leg_count, 'seconds', one.seconds
              ) ORDER BY one.started_at) AS interactions
         FROM (
              SELECT call.id, call.started_at, call.ended_at, count(leg.id) AS leg_count,
                     coalesce(sum(ceil(extract(epoch FROM leg.ended_at - leg.answered_at))), 0)
                         AS seconds,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'first')) AS first_leg,
                     min(leg.id::text) FILTER (
                         WHERE (leg.role = 'a') = (call.caller_side = 'second')) AS second_leg
                FROM call
                LEFT JOIN leg ON leg.call = call.id
               WHERE call.session = session.id
                 AND call.disposition IS DISTINCT FROM 'refused'
               GROUP BY call.id
         ) AS one
  ) AS talk;
