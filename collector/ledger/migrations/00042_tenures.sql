-- Which labels a host had, and from when: groups of the catalogue are made of
-- hosts by their labels, and figures of the past by those of then.

-- +goose Up
CREATE TABLE host_tenures (
    host     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    living   BIGINT NOT NULL,
    customer TEXT NOT NULL,
    labels   TEXT NOT NULL,
    PRIMARY KEY (host, at)
);
INSERT INTO host_tenures SELECT host, enrolled_at, 1, customer, labels FROM hosts;
INSERT INTO host_tenures SELECT host, removed_at, 0, customer, labels FROM hosts WHERE removed_at > enrolled_at;

-- +goose Down
DROP TABLE host_tenures;
