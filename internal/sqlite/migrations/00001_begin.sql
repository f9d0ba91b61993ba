-- +goose Up

-- Every object: doc is its JSON without secrets, private what is kept apart.
CREATE TABLE object (
	kind    TEXT    NOT NULL,
	key     TEXT    NOT NULL,
	version INTEGER NOT NULL,
	doc     TEXT    NOT NULL,
	private BLOB,
	PRIMARY KEY (kind, key)
) STRICT;

-- Every change ever made, gapless and chained: the feed.
CREATE TABLE change (
	seq     INTEGER PRIMARY KEY,
	kind    TEXT    NOT NULL,
	key     TEXT    NOT NULL,
	action  TEXT    NOT NULL,
	version INTEGER NOT NULL,
	object  TEXT,
	actor   TEXT    NOT NULL,
	at      INTEGER NOT NULL, -- microseconds
	hash    BLOB    NOT NULL
) STRICT;

-- Where the feed stands: one row.
CREATE TABLE feed (
	one         INTEGER PRIMARY KEY CHECK (one = 1),
	incarnation TEXT    NOT NULL,
	seq         INTEGER NOT NULL,
	hash        BLOB    NOT NULL
) STRICT;

-- The texts that activity repeats.
CREATE TABLE interned (
	id    INTEGER PRIMARY KEY,
	value TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE batch (
	id      INTEGER PRIMARY KEY,
	node    INTEGER NOT NULL,
	n       INTEGER NOT NULL,
	first   BLOB    NOT NULL,
	last    BLOB    NOT NULL,
	entries INTEGER NOT NULL,
	hash    BLOB    NOT NULL,
	UNIQUE (node, n)
) STRICT;

-- One row per entry, in the order of time; NULL is the zero value.
CREATE TABLE activity (
	id          BLOB    NOT NULL PRIMARY KEY,
	batch       INTEGER NOT NULL,
	action      INTEGER NOT NULL,
	issuer      INTEGER,
	client      INTEGER,
	secret      INTEGER,
	scope       INTEGER,
	source      INTEGER,
	reason      INTEGER,
	correlation TEXT,
	count       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
