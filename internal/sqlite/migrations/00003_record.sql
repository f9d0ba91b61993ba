-- +goose Up

-- Small things that expire and are no domain data: sessions, answers to be given again,
-- one-time tokens.
CREATE TABLE record (
	space   TEXT    NOT NULL,
	key     TEXT    NOT NULL,
	value   BLOB    NOT NULL,
	expires INTEGER NOT NULL, -- microseconds
	PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_expires ON record (expires);
