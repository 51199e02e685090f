-- Calls that we place to both parties: one is ordered, and some bridge takes the order.

ALTER TABLE call
    ALTER COLUMN node DROP NOT NULL,    -- null: ordered, and not taken up by a bridge yet
    ADD COLUMN origin text NOT NULL DEFAULT 'inbound' CHECK (origin IN ('inbound', 'call-me')),
    ADD CHECK (node IS NOT NULL OR origin = 'call-me');
CREATE INDEX call_ordered ON call (started_at) WHERE node IS NULL AND ended_at IS NULL;
