-- PINs: what a stranger types to be led to a party's session, and what guessing costs.

-- Taken and released like a route: on a number a PIN leads to at most one party of one session.
CREATE TABLE pin (
    virtual_number e164 NOT NULL REFERENCES virtual_number,
    pin            text NOT NULL CHECK (pin ~ '^[0-9]{4,15}$'),
    session        uuid NOT NULL REFERENCES session,
    side           text NOT NULL CHECK (side IN ('first', 'second')),  -- whose PIN it is
    held_until     timestamptz NOT NULL,
    PRIMARY KEY (virtual_number, pin)
);
CREATE INDEX pin_session ON pin (session);
CREATE INDEX pin_length ON pin (virtual_number, length(pin), held_until);

-- PINs that nobody else can have now; a PIN stays held while a call of its session is up.
CREATE VIEW held_pin AS
SELECT virtual_number, pin, session, side
  FROM pin
 WHERE held_until > now()
    OR EXISTS (SELECT FROM call WHERE call.session = pin.session AND call.ended_at IS NULL);

-- Those of sessions that are live already.  Of two that clash the older one keeps its PIN, the other
-- has none from now on.
INSERT INTO pin (virtual_number, pin, session, side, held_until)
SELECT number, pin, id, side, expires_at + make_interval(secs => cooloff)
  FROM session
 CROSS JOIN LATERAL (VALUES
       ('first', virtual_number::text, options ->> 'first_party_pin'),
       ('second', coalesce(second_virtual_number, virtual_number), options ->> 'second_party_pin')
 ) AS one (side, number, pin)
 WHERE over_at IS NULL
   AND options @> '{"is_pin_authentication_required": true}'
   AND pin IS NOT NULL
 ORDER BY created_at, id
ON CONFLICT DO NOTHING;
UPDATE session
   SET options = options || jsonb_build_object(lost.side || '_party_pin', NULL)
  FROM (VALUES ('first'), ('second')) AS lost (side)
 WHERE over_at IS NULL
   AND options @> '{"is_pin_authentication_required": true}'
   AND NOT EXISTS (SELECT FROM pin WHERE pin.session = session.id AND pin.side = lost.side);

-- What a number's live sessions want of strangers: the newest that asks for a PIN, the newest that
-- plays something; found at once among thousands that want nothing or are over.
CREATE INDEX session_asks_pin ON session (virtual_number, created_at DESC)
 WHERE over_at IS NULL AND options @> '{"is_pin_authentication_required": true}';
CREATE INDEX session_asks_pin_second ON session (second_virtual_number, created_at DESC)
 WHERE over_at IS NULL AND options @> '{"is_pin_authentication_required": true}'
   AND second_virtual_number IS NOT NULL;
CREATE INDEX session_plays ON session (virtual_number, created_at DESC)
 WHERE over_at IS NULL AND options ->> 'unknown_caller_play' IS NOT NULL;
CREATE INDEX session_plays_second ON session (second_virtual_number, created_at DESC)
 WHERE over_at IS NULL AND options ->> 'unknown_caller_play' IS NOT NULL
   AND second_virtual_number IS NOT NULL;

-- Wrong PINs of late, without the PIN; older ones are deleted as others come.
CREATE TABLE wrong_pin (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    virtual_number e164 NOT NULL REFERENCES virtual_number,
    caller         e164,              -- null: withheld; all of these count as one caller
    typed_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX wrong_pin_number ON wrong_pin (virtual_number, typed_at);
CREATE INDEX wrong_pin_typed ON wrong_pin (typed_at);
