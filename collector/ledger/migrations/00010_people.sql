-- Users, sessions, API tokens and the one-time set-up link. No secret stands
-- here: passwords as argon2id, everything else as SHA-256.

-- +goose Up
CREATE TABLE users (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    password   TEXT NOT NULL, -- $argon2id$v=19$m=…,t=…,p=…$salt$key
    disabled   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_login BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    user_name  TEXT NOT NULL REFERENCES users (name),
    created_at BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    made_by    TEXT NOT NULL, -- a user, or empty: the host's administrator
    scopes     TEXT NOT NULL, -- read,enrol,admin
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    last_used  BIGINT NOT NULL
);

CREATE TABLE setup_links (
    hash       TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE setup_links;
DROP TABLE api_tokens;
DROP TABLE sessions;
DROP TABLE users;
