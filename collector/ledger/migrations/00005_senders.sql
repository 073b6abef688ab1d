-- Foreign senders (a Prometheus, vmagent, Telegraf or OpenTelemetry collector),
-- their tokens, and the hosts they bring. A sender is never deleted: facts name it.

-- +goose Up
CREATE TABLE senders (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    labels     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    last_seen  BIGINT NOT NULL
);
CREATE TABLE sender_tokens (
    hash       TEXT PRIMARY KEY,
    sender     TEXT NOT NULL REFERENCES senders (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX sender_tokens_sender ON sender_tokens (sender);
CREATE TABLE foreign_hosts (
    host     TEXT PRIMARY KEY REFERENCES hosts (host),
    sender   TEXT NOT NULL REFERENCES senders (id),
    instance TEXT NOT NULL
);
CREATE UNIQUE INDEX foreign_hosts_instance ON foreign_hosts (sender, instance);

-- +goose Down
DROP TABLE foreign_hosts;
DROP TABLE sender_tokens;
DROP TABLE senders;
