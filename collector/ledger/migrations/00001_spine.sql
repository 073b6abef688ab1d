-- The ledger's first tables. Plain SQL that SQLite and PostgreSQL both run:
-- instants are Unix milliseconds UTC in BIGINT, 0 means none; JSON is TEXT.

-- +goose Up
CREATE TABLE hosts (
    host        TEXT PRIMARY KEY,
    instance    TEXT NOT NULL,
    customer    TEXT NOT NULL,
    os          TEXT NOT NULL,
    arch        TEXT NOT NULL,
    version     TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    last_sample BIGINT NOT NULL,
    removed_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX hosts_living ON hosts (instance) WHERE removed_at = 0;

CREATE TABLE tokens (
    hash       TEXT PRIMARY KEY,
    label      TEXT NOT NULL,
    customer   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses_left  BIGINT NOT NULL
);
CREATE TABLE token_uses (
    hash    TEXT NOT NULL REFERENCES tokens (hash),
    host    TEXT NOT NULL REFERENCES hosts (host),
    used_at BIGINT NOT NULL,
    PRIMARY KEY (hash, host)
);
CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    host        TEXT NOT NULL REFERENCES hosts (host),
    not_before  BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL
);

CREATE TABLE streaks (
    component TEXT NOT NULL,
    observer  TEXT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    state     TEXT NOT NULL,
    facts     BIGINT NOT NULL,
    max_gap   BIGINT NOT NULL,
    hold      BIGINT NOT NULL,
    PRIMARY KEY (component, observer, first_at)
);

CREATE TABLE outages (
    id           BIGINT PRIMARY KEY,
    component    TEXT NOT NULL,
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    earliest     BIGINT NOT NULL,
    bridged      BIGINT NOT NULL,
    observers    TEXT NOT NULL,
    merged_into  BIGINT NOT NULL,
    withdrawn_at BIGINT NOT NULL
);
CREATE INDEX outages_component ON outages (component, from_at);
CREATE INDEX outages_from ON outages (from_at);

CREATE TABLE notes (
    position    BIGINT PRIMARY KEY,
    host        TEXT NOT NULL,
    instance    TEXT NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    component   TEXT NOT NULL,
    body        TEXT NOT NULL
);
CREATE INDEX notes_component ON notes (component, at);
CREATE INDEX notes_instance ON notes (instance, at);

CREATE TABLE cursors (
    name     TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);

CREATE TABLE catalogues (
    number    BIGINT PRIMARY KEY,
    hash      TEXT NOT NULL,
    source    TEXT NOT NULL,
    loaded_at BIGINT NOT NULL
);

CREATE TABLE judge_states (
    dedup_key     TEXT PRIMARY KEY,
    resource      TEXT NOT NULL,
    customer      TEXT NOT NULL,
    component     TEXT NOT NULL,
    labels        TEXT NOT NULL,
    level         TEXT NOT NULL,
    over_warning  BIGINT NOT NULL,
    over_critical BIGINT NOT NULL,
    under_clear   BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    used          DOUBLE PRECISION NOT NULL,
    limit_value   DOUBLE PRECISION NOT NULL
);

CREATE TABLE records (
    no          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    customer    TEXT NOT NULL,
    component   TEXT NOT NULL,
    state       TEXT NOT NULL,
    priority    BIGINT NOT NULL,
    detected_at BIGINT NOT NULL,
    dedup_key   TEXT NOT NULL,
    episode     BIGINT NOT NULL,
    body        TEXT NOT NULL
);
CREATE UNIQUE INDEX records_held_key ON records (dedup_key) WHERE state NOT IN ('closed', 'duplicate', 'rejected');
CREATE UNIQUE INDEX records_episode ON records (dedup_key, episode);
CREATE INDEX records_detected ON records (detected_at);

CREATE TABLE amendments (
    record_no TEXT NOT NULL REFERENCES records (no),
    seq       BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    by_whom   TEXT NOT NULL,
    field     TEXT NOT NULL,
    old_value TEXT NOT NULL,
    new_value TEXT NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (record_no, seq)
);

CREATE TABLE evidence (
    record_no TEXT NOT NULL REFERENCES records (no),
    seq       BIGINT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (record_no, seq)
);

CREATE TABLE breaches (
    id           BIGINT PRIMARY KEY,
    dedup_key    TEXT NOT NULL,
    rule_id      TEXT NOT NULL,
    customer     TEXT NOT NULL,
    component    TEXT NOT NULL,
    metric       TEXT NOT NULL,
    level        TEXT NOT NULL,
    used         DOUBLE PRECISION NOT NULL,
    limit_value  DOUBLE PRECISION NOT NULL,
    threshold    DOUBLE PRECISION NOT NULL,
    since        BIGINT NOT NULL,
    detected_at  BIGINT NOT NULL,
    recovered_at BIGINT NOT NULL,
    record_no    TEXT NOT NULL REFERENCES records (no)
);
CREATE UNIQUE INDEX breaches_standing ON breaches (dedup_key) WHERE recovered_at = 0;
CREATE INDEX breaches_detected ON breaches (detected_at);

CREATE TABLE audit (
    seq      BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    content  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- +goose Down
DROP TABLE numbers;
DROP TABLE audit;
DROP TABLE breaches;
DROP TABLE evidence;
DROP TABLE amendments;
DROP TABLE records;
DROP TABLE judge_states;
DROP TABLE catalogues;
DROP TABLE cursors;
DROP TABLE notes;
DROP TABLE outages;
DROP TABLE streaks;
DROP TABLE certificates;
DROP TABLE token_uses;
DROP TABLE tokens;
DROP TABLE hosts;
