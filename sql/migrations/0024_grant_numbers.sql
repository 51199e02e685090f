-- Which numbers an account may add to its pool: the operator's word, and nobody else's.

-- A number is granted to one account at most; the constraint holds that, whatever anybody looked at
-- before.  Digits without the plus; both ends of a range have as many digits as each other.
CREATE TABLE number_grant (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account    text NOT NULL REFERENCES account,
    numbers    int8range NOT NULL CHECK (
                   NOT isempty(numbers) AND NOT lower_inf(numbers) AND NOT upper_inf(numbers)
                   AND length(lower(numbers)::text) = length((upper(numbers) - 1)::text)),
    country    text NOT NULL CHECK (country ~ '^[A-Z0-9]{2,3}$'),  -- of its first number
    granted_at timestamptz NOT NULL DEFAULT now(),
    granted_by text NOT NULL,         -- operator (the command line), or which token
    CONSTRAINT number_grant_is_one_account_s EXCLUDE USING gist (numbers WITH &&)
);
CREATE INDEX number_grant_account ON number_grant (account, country);

-- What is in a pool today is its account's; neighbours are one grant.
INSERT INTO number_grant (account, numbers, country, granted_by)
SELECT account, int8range(min(digits), max(digits), '[]'), country, 'migration'
  FROM (SELECT account, country, digits,
               digits - row_number() OVER (PARTITION BY account, country, length(digits::text)
                                               ORDER BY digits) AS run
          FROM (SELECT account, country, substr(number, 2)::bigint AS digits
                  FROM virtual_number
                 WHERE state <> 'retired') AS pooled) AS numbered
 GROUP BY account, country, length(digits::text), run;

-- Whether any number of a range is in a pool.
CREATE INDEX virtual_number_digits ON virtual_number ((substr(number, 2)::bigint));

ALTER TABLE account
    ADD COLUMN max_numbers integer CHECK (max_numbers > 0);  -- in its pool at once; null: any

ALTER TABLE api_token
    DROP CONSTRAINT api_token_scope_check,
    ADD CONSTRAINT api_token_scope_check
        CHECK (scope IN ('create', 'read', 'admin', 'operator'));
