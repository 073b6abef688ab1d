-- Where a streak comes from: the journal's records that made it and that last
-- prolonged it, and when those were received. 0: from before this was kept.

-- +goose Up
ALTER TABLE streaks ADD COLUMN born_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE streaks ADD COLUMN born_received BIGINT NOT NULL DEFAULT 0;
ALTER TABLE streaks ADD COLUMN grown_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE streaks ADD COLUMN grown_received BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE streaks DROP COLUMN grown_received;
ALTER TABLE streaks DROP COLUMN grown_position;
ALTER TABLE streaks DROP COLUMN born_received;
ALTER TABLE streaks DROP COLUMN born_position;
