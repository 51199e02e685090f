-- Tokens that may do less than everything, and that can be told apart and taken away one by one.

ALTER TABLE api_token
    ADD COLUMN id    uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    ADD COLUMN name  text NOT NULL DEFAULT '',
    ADD COLUMN scope text NOT NULL DEFAULT 'admin' CHECK (scope IN ('create', 'read', 'admin'));
