-- What the collector itself knows of silence: when it was there, what it
-- remembers of each host's envelopes, and what those proved.

-- +goose Up
CREATE TABLE alive (
    from_at BIGINT PRIMARY KEY,
    to_at   BIGINT NOT NULL
);
CREATE TABLE host_watches (
    host TEXT PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE host_silences (
    host    TEXT NOT NULL,
    cause   TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at   BIGINT NOT NULL,
    PRIMARY KEY (host, cause, from_at)
);
CREATE INDEX host_silences_to ON host_silences (host, to_at);

-- +goose Down
DROP TABLE host_silences;
DROP TABLE host_watches;
DROP TABLE alive;
