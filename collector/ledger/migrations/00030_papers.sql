-- What people write and amend, but never edit: changes with their maintenance
-- windows, adjustments, annotations of outages. Each row is a whole version.

-- +goose Up
CREATE TABLE papers (
    kind    TEXT NOT NULL,    -- change, adjustment, annotation
    no      TEXT NOT NULL,    -- CHG-2026-0001, ADJ-2026-0001, outage 17
    seq     INTEGER NOT NULL, -- 1, 2, 3 … per paper
    at      INTEGER NOT NULL, -- it holds from then until the next one
    by_whom TEXT NOT NULL,
    action  TEXT NOT NULL,
    body    TEXT NOT NULL,    -- JSON
    PRIMARY KEY (kind, no, seq)
);

-- +goose Down
DROP TABLE papers;
