-- What guessing of PINs costs, beyond one number: by caller everywhere, and by account.

ALTER TABLE wrong_pin
    ADD COLUMN account text REFERENCES account;  -- the number's; null: written by a program before this
UPDATE wrong_pin
   SET account = virtual_number.account
  FROM virtual_number
 WHERE virtual_number.number = wrong_pin.virtual_number;
DROP INDEX wrong_pin_number;
CREATE INDEX wrong_pin_account ON wrong_pin (account, typed_at);
CREATE INDEX wrong_pin_caller ON wrong_pin (caller, typed_at);

-- Wrong PINs of late on a number, in all of its account, by a caller on any number of anybody, and for
-- one who withholds his number by all in the account who do; and when the last ones were, as seconds
-- from now.  What waits for its turn counts already, at a moment that is still to come.
CREATE FUNCTION wrong_pins(dialled text, by_caller text, seconds integer, latest float8)
RETURNS TABLE (of_caller bigint, on_number bigint, on_number_at jsonb, in_account bigint,
               in_account_at jsonb, withheld bigint, withheld_at jsonb)
LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE wrong.caller = $2),
           count(*) FILTER (WHERE wrong.virtual_number = $1),
           jsonb_agg(wrong.at) FILTER (WHERE wrong.at > -$4 AND wrong.virtual_number = $1),
           count(*) FILTER (WHERE wrong.account = pooled.account),
           jsonb_agg(wrong.at) FILTER (WHERE wrong.at > -$4 AND wrong.account = pooled.account),
           count(*) FILTER (WHERE $2 IS NULL AND wrong.caller IS NULL
                                  AND wrong.account = pooled.account),
           jsonb_agg(wrong.at) FILTER (WHERE $2 IS NULL AND wrong.caller IS NULL AND wrong.at > -$4
                                             AND wrong.account = pooled.account)
      FROM virtual_number AS pooled
      LEFT JOIN LATERAL (
           SELECT virtual_number, account, caller, extract(epoch FROM typed_at - now())::float8 AS at
             FROM wrong_pin
            WHERE (account = pooled.account OR caller = $2)
              AND typed_at > now() - make_interval(secs => $3)) AS wrong ON true
     WHERE pooled.number = $1
$$;
