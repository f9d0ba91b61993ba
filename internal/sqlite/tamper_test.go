package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
)

// Whoever writes to the file beside us is found out: rows tampered with,
// removed, inserted.
func TestTamperedRowsAreFound(t *testing.T) {
	for name, text := range map[string]string{
		"change: object":            `UPDATE change SET object = replace(object, 'Billing', 'Willing') WHERE seq = 150`,
		"change: actor":             `UPDATE change SET actor = 'local:0' WHERE seq = 1`,
		"change: time":              `UPDATE change SET at = at + 1 WHERE seq = 150`,
		"change: hash":              `UPDATE change SET hash = zeroblob(32) WHERE seq = 150`,
		"change: removed":           `DELETE FROM change WHERE seq = 150`,
		"change: first removed":     `DELETE FROM change WHERE seq = 1`,
		"change: last removed":      `DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)`,
		"change: removed and moved": `DELETE FROM change WHERE seq = 150; UPDATE change SET seq = seq - 1 WHERE seq > 150; UPDATE feed SET seq = seq - 1`,
		"change: inserted":          `INSERT INTO change SELECT seq + 1, kind, key, action, version, object, actor, at, hash, issuer, client, tenant FROM change ORDER BY seq DESC LIMIT 1; UPDATE feed SET seq = seq + 1`,
		"change: head":              `UPDATE feed SET hash = zeroblob(32)`,
		"change: all removed":       `DELETE FROM change`,

		"activity: client":         `UPDATE activity SET client = client + 1 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: count":          `UPDATE activity SET count = 9 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: resource":       `UPDATE activity SET resource = reason WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: no resource":    `UPDATE activity SET resource = NULL`,
		"activity: tenant":         `UPDATE activity SET tenant = client WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: actor":          `UPDATE activity SET actor = client WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: details":        `UPDATE activity SET details = '{}' WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: hidden":         `UPDATE activity SET other = NULL WHERE other IS NOT NULL`,
		"activity: text":           `UPDATE interned SET value = value || 'x' WHERE value LIKE '10.0.7.%'`,
		"activity: refused by 0":   `UPDATE activity SET reason = 0 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 7)`,
		"activity: reason of none": `UPDATE activity SET reason = 999999 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 7)`,
		"activity: actor of none":  `UPDATE activity SET actor = 999999 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 7)`,
		"activity: empty tenant":   `INSERT INTO interned (id, value) VALUES (999999, ''); UPDATE activity SET tenant = 999999 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 7)`,
		"activity: removed":        `DELETE FROM activity WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 300)`,
		"activity: other batch":    `UPDATE activity SET batch = batch + 1 WHERE id = (SELECT id FROM activity LIMIT 1 OFFSET 255)`,
		"activity: inserted":       `INSERT INTO activity SELECT zeroblob(16), batch, action, issuer, client, secret, scope, source, reason, correlation, count, resource, tenant, actor, details, other FROM activity LIMIT 1`,
		"activity: into no batch":  `INSERT INTO activity SELECT randomblob(16), 4711, action, issuer, client, secret, scope, source, reason, correlation, count, resource, tenant, actor, details, other FROM activity LIMIT 1`,
		"activity: inside a batch": `INSERT INTO activity SELECT CAST(substr(id, 1, 15) || x'00' AS BLOB), batch, action, issuer, client, secret, scope, source, reason, correlation, count, resource, tenant, actor, details, other FROM activity WHERE substr(id, 16) <> x'00' LIMIT 1 OFFSET 300`,
		"batch: removed":           `DELETE FROM activity WHERE batch = 1; DELETE FROM batch WHERE id = 1`,
		"batch: row removed":       `DELETE FROM batch WHERE id = 2`,
		"batch: of no node":        `UPDATE batch SET node = 99999 WHERE id = 2`,
		"batch: narrowed":          `UPDATE batch SET entries = entries - 1, last = (SELECT max(id) FROM activity WHERE batch = 2 AND id < last) WHERE id = 2`,
		"batch: hash":              `UPDATE batch SET hash = zeroblob(32) WHERE id = 2`,
		"batch: marked":            `UPDATE batch SET dropped = 1 WHERE id = 2`,
		"batch: later":             `UPDATE batch SET last = CAST(substr(last, 1, 5) || x'ffffffffffffffffffffff' AS BLOB) WHERE id = 2`,
		"batch: earlier":           `UPDATE batch SET first = zeroblob(16) WHERE id = 2`,
		"batch: empty":             `INSERT INTO batch (node, n, first, last, entries, hash) SELECT node, n + 1, first, last, 0, hash FROM batch WHERE id = 3`,

		// What follows from the changes: the objects, and what changes are found by.
		"change: client":    `UPDATE change SET client = NULL WHERE seq = 150`,
		"change: tenant":    `UPDATE change SET tenant = 'other' WHERE seq = 150`,
		"change: issuer":    `UPDATE change SET issuer = NULL`,
		"object: doc":       `UPDATE object SET doc = replace(doc, 'https://api.example', 'https://any.example') WHERE key = 'rfc/c000150'`,
		"object: version":   `UPDATE object SET version = 2 WHERE key = 'rfc/c000150'`,
		"object: removed":   `DELETE FROM object WHERE key = 'rfc/c000150'`,
		"object: inserted":  `INSERT INTO object (kind, key, version, doc) SELECT kind, 'rfc/x', version, doc FROM object LIMIT 1`,
		"object: of a kind": `UPDATE object SET kind = 'tombstone' WHERE key = 'rfc/c000150'`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir)
			fill(t, db, 300)
			for i := range 3 {
				list := storetest.Entries(time.Date(2026, 11, 23, 0, i, 0, 0, time.UTC), 256)
				list[44].Action, list[44].Reason, list[44].Resource = domain.CallRefused, "scope_missing", "reports GET /reports/{id}"
				if err := db.Append(t.Context(), "node-1", list); err != nil {
					t.Fatal(err)
				}
			}
			if err := verify(t, db); err != nil {
				t.Fatal(err)
			}
			if _, err := beside(t, dir).ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			if err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
				t.Errorf("not found: %v", err)
			}
		})
	}
}

func verify(t *testing.T, db storetest.Store) error {
	t.Helper()
	_, errC := audit.VerifyChanges(t.Context(), db)
	report, err := audit.Verify(t.Context(), db, db, db)
	return errors.Join(errC, report.Err(), err)
}

// D-37: secrets are in the private column and nowhere else in the file.
func TestCanaryIsOnlyPrivate(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	_, err := db.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
		c := domain.Client{Issuer: "rfc", ID: "a", Secrets: []domain.Secret{{ID: "s", Hash: storetest.Canary}}}
		_, err := tables.Clients.Put(t.Context(), c, 0)
		return []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	raw := beside(t, dir)
	if _, err := raw.ExecContext(t.Context(), `UPDATE object SET private = NULL WHERE instr(private, CAST('`+storetest.Canary+`' AS BLOB)) > 0`); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`PRAGMA wal_checkpoint(truncate)`, `VACUUM`, `PRAGMA wal_checkpoint(truncate)`} {
		if _, err := raw.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "postern.*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(storetest.Canary)) {
			t.Errorf("%s holds the canary outside the private column", file)
		}
	}
}
