-- +goose Up

-- When retention dropped the entries of a batch, in microseconds; its hash stays.
ALTER TABLE batch ADD COLUMN dropped bigint;

-- When secrets were used last, to five minutes.
CREATE TABLE used (
	issuer text   COLLATE "C" NOT NULL,
	client text   COLLATE "C" NOT NULL,
	secret text   COLLATE "C" NOT NULL,
	at     bigint NOT NULL, -- microseconds
	PRIMARY KEY (issuer, client, secret)
);
