-- +goose Up

-- When retention dropped the entries of a batch, in microseconds; its hash stays.
ALTER TABLE batch ADD COLUMN dropped INTEGER;

-- When secrets were used last, to five minutes.
CREATE TABLE used (
	issuer TEXT    NOT NULL,
	client TEXT    NOT NULL,
	secret TEXT    NOT NULL,
	at     INTEGER NOT NULL, -- microseconds
	PRIMARY KEY (issuer, client, secret)
) STRICT, WITHOUT ROWID;
