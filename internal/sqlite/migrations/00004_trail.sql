-- +goose Up

-- Whose an entry is, who did it where that is not the client, and what a product says of it.
ALTER TABLE activity ADD COLUMN tenant INTEGER;
ALTER TABLE activity ADD COLUMN actor INTEGER;
ALTER TABLE activity ADD COLUMN details TEXT;
-- The action where it is not token.issue: that one is most of all there is, and an index of it
-- would find what the table finds as fast.
ALTER TABLE activity ADD COLUMN other INTEGER;
UPDATE activity SET other = action WHERE action NOT IN (SELECT id FROM interned WHERE value = 'token.issue');

-- Indexes hold nothing of rows that lack what they are about: a token costs those of its client
-- and of its tenant.
CREATE INDEX activity_client ON activity (client, id) WHERE client IS NOT NULL;
CREATE INDEX activity_tenant ON activity (tenant, id) WHERE tenant IS NOT NULL;
CREATE INDEX activity_other ON activity (other, id) WHERE other IS NOT NULL;
CREATE INDEX activity_refused ON activity (id) WHERE reason IS NOT NULL;
CREATE INDEX activity_actor ON activity (actor, id) WHERE actor IS NOT NULL;
CREATE INDEX activity_resource ON activity (resource, id) WHERE resource IS NOT NULL;

-- What a change is about, to be searched by. The hash covers the change itself, from which
-- these follow.
ALTER TABLE change ADD COLUMN issuer TEXT;
ALTER TABLE change ADD COLUMN client TEXT;
ALTER TABLE change ADD COLUMN tenant TEXT;

CREATE INDEX change_object ON change (kind, key, seq);

UPDATE change SET issuer = key WHERE kind = 'issuer';
UPDATE change SET issuer = substr(key, 1, instr(key, '/') - 1) WHERE kind IN ('client', 'tombstone', 'key') AND instr(key, '/') > 0;
UPDATE change SET client = substr(key, instr(key, '/') + 1) WHERE kind IN ('client', 'tombstone') AND instr(key, '/') > 0;
UPDATE change SET tenant = key WHERE kind = 'tenant';
UPDATE change SET tenant = json_extract(object, '$.tenant') WHERE kind IN ('client', 'resource') AND object IS NOT NULL;
-- What was deleted, and a tombstone, is of the tenant that the object was of.
UPDATE change SET tenant = (SELECT b.tenant FROM change b WHERE b.kind = replace(change.kind, 'tombstone', 'client') AND b.key = change.key
 AND b.seq < change.seq AND b.object IS NOT NULL ORDER BY b.seq DESC LIMIT 1)
 WHERE kind = 'tombstone' OR kind IN ('client', 'resource') AND object IS NULL;
UPDATE change SET tenant = NULL WHERE tenant = '';

CREATE INDEX change_at ON change (at, seq);
CREATE INDEX change_actor ON change (actor, at, seq);
CREATE INDEX change_action ON change (action, at, seq);
CREATE INDEX change_issuer ON change (issuer, at, seq) WHERE issuer IS NOT NULL;
CREATE INDEX change_client ON change (client, at, seq) WHERE client IS NOT NULL;
CREATE INDEX change_tenant ON change (tenant, at, seq) WHERE tenant IS NOT NULL;
