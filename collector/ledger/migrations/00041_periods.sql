-- Closed periods. A row is one version of a customer's month and is never
-- changed but by its decision: frozen is the canonical JSON of its inputs and
-- results, hash its SHA-256.

-- +goose Up
CREATE TABLE periods (
    customer    TEXT NOT NULL,
    period      TEXT NOT NULL, -- 2026-10
    version     BIGINT NOT NULL, -- 1, 2, 3 …
    state       TEXT NOT NULL, -- closed, proposed, accepted, rejected, superseded
    as_of       BIGINT NOT NULL, -- what was known then
    made_at     BIGINT NOT NULL,
    made_by     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    decided_at  BIGINT NOT NULL, -- of a proposal
    decided_by  TEXT NOT NULL,
    decision    TEXT NOT NULL, -- in the words of who decided
    hash        TEXT NOT NULL,
    differences TEXT NOT NULL, -- JSON, against the version that stood
    frozen      TEXT NOT NULL,
    PRIMARY KEY (customer, period, version)
);

-- +goose Down
DROP TABLE periods;
