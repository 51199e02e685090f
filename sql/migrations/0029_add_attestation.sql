-- How far a carrier vouches for a caller's number, and how far an account wants it to.

ALTER TABLE account
    ADD COLUMN min_attestation text NOT NULL DEFAULT 'none'
        CHECK (min_attestation IN ('none', 'C', 'B', 'A'));

ALTER TABLE call
    ADD COLUMN attestation text  -- null: the call was placed by us, or came before this migration
        CHECK (attestation IN ('failed', 'none', 'C', 'B', 'A'));
