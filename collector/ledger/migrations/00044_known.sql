-- What was known when: figures as of an instant are those of the facts received
-- up to it. known_from is since when a streak is known as it is; 0, as for all that
-- are older than this: since its facts are. former_streaks are what facts
-- received in known_until made something else of.

-- +goose Up
ALTER TABLE streaks ADD COLUMN known_from BIGINT NOT NULL DEFAULT 0;
CREATE TABLE former_streaks (
    component   TEXT NOT NULL,
    observer    TEXT NOT NULL,
    first_at    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    facts       BIGINT NOT NULL,
    max_gap     BIGINT NOT NULL,
    hold        BIGINT NOT NULL,
    known_from  BIGINT NOT NULL,
    known_until BIGINT NOT NULL,
    PRIMARY KEY (component, observer, first_at, known_from)
);
CREATE INDEX former_streaks_until ON former_streaks (known_until);

-- +goose Down
DROP TABLE former_streaks;
ALTER TABLE streaks DROP COLUMN known_from;
