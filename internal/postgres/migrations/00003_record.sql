-- +goose Up

-- Small things that expire and are no domain data: sessions, answers to be given again,
-- one-time tokens.
CREATE TABLE record (
	space   text   COLLATE "C" NOT NULL,
	key     text   COLLATE "C" NOT NULL,
	value   bytea  NOT NULL,
	expires bigint NOT NULL, -- microseconds
	PRIMARY KEY (space, key)
);

CREATE INDEX record_expires ON record (expires);
