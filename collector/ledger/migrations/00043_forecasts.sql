-- What was forecast of a service's month: written once, never changed. What
-- came is computed when it is asked for, as every figure is.

-- +goose Up
CREATE TABLE forecasts (
    service   TEXT NOT NULL,
    month     TEXT NOT NULL, -- 2026-11, in the agreement's zone
    agreement TEXT NOT NULL,
    version   BIGINT NOT NULL,
    begins_at BIGINT NOT NULL, -- the month's; made of facts before it alone
    ends_at   BIGINT NOT NULL,
    made_at   BIGINT NOT NULL,
    body      TEXT NOT NULL, -- JSON
    PRIMARY KEY (service, month)
);

-- +goose Down
DROP TABLE forecasts;
