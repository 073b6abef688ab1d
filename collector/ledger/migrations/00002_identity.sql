-- Who is let in, under which conditions, and who no longer is.

-- +goose Up
ALTER TABLE hosts ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE hosts ADD COLUMN removed_why TEXT NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN quarantined_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN quarantine TEXT NOT NULL DEFAULT '';

ALTER TABLE tokens ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tokens ADD COLUMN cidr TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN uses BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tokens ADD COLUMN authority TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN revoked_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE certificates ADD COLUMN authority TEXT NOT NULL DEFAULT '';
CREATE INDEX certificates_host ON certificates (host, not_after);

-- +goose Down
DROP INDEX certificates_host;
ALTER TABLE certificates DROP COLUMN authority;
ALTER TABLE tokens DROP COLUMN revoked_at;
ALTER TABLE tokens DROP COLUMN authority;
ALTER TABLE tokens DROP COLUMN uses;
ALTER TABLE tokens DROP COLUMN cidr;
ALTER TABLE tokens DROP COLUMN labels;
ALTER TABLE hosts DROP COLUMN quarantine;
ALTER TABLE hosts DROP COLUMN quarantined_at;
ALTER TABLE hosts DROP COLUMN removed_why;
ALTER TABLE hosts DROP COLUMN labels;
