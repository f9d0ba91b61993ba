package audit_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/jwt"
)

// The world of these tests: this many changes, and batches of activity of two nodes.
const (
	worldChanges = 40
	worldBatches = 4 // of each node
	worldEntries = 8 // of each batch
)

// world is a real SQLite store with changes and activity, and another connection to its file.
func world(t *testing.T) (*sqlite.DB, *sql.DB) {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	grow(t, db, worldChanges)
	for i := range worldBatches {
		for n, node := range []string{"node-a", "node-b"} {
			batch(t, db, node, i*2+n)
		}
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.Join(dir, sqlite.File)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return db, raw
}

// grow makes n changes more.
func grow(t *testing.T, db *sqlite.DB, n int) {
	t.Helper()
	head, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		_, err := db.Change(t.Context(), "local:0", func(tables domain.Tables) ([]domain.Change, error) {
			c := domain.Client{Issuer: "rfc", ID: fmt.Sprintf("c%03d", int(head.Seq)+i), Name: "Billing <b> & co"}
			_, err := tables.Clients.Put(t.Context(), c, 0)
			return []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"}}, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// batch appends the i-th batch.
func batch(t *testing.T, db *sqlite.DB, node string, i int) {
	t.Helper()
	list := storetest.Entries(time.Date(2026, 11, 23, 0, i, 0, 0, time.UTC), worldEntries)
	list[3].Reason, list[3].Resource, list[3].Count = "scope_missing", "reports GET /reports/{id}", 3
	list[4].Correlation = "new\nline"
	if err := db.Append(t.Context(), node, list); err != nil {
		t.Fatal(err)
	}
}

// signer is the key that signs checkpoints here.
func signer(t *testing.T) (*jwt.Signer, jwt.Keys) {
	t.Helper()
	key, err := jwt.ParsePrivateJWK([]byte(vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jwt.NewSigner(key, audit.CheckpointType)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwt.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return s, set
}

// checkpoint is one of this moment, signed and read again.
func checkpoint(t *testing.T, db *sqlite.DB) audit.Checkpoint {
	t.Helper()
	c, err := audit.Describe(t.Context(), db, db, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Time, c.Node, c.Tokens = time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC), "node-a", audit.Group
	s, set := signer(t)
	list, err := c.Signed(s)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if c, err = audit.ReadCheckpoint(list[0], set); err != nil {
		t.Fatal(err)
	}
	return c
}

func backup(t *testing.T, db *sqlite.DB) string {
	t.Helper()
	var b bytes.Buffer
	if err := audit.Backup(t.Context(), &b, db, db); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// both verifies the store, and a backup of it without the store.
func both(t *testing.T, db *sqlite.DB, checkpoints ...audit.Checkpoint) (online, offline audit.Report) {
	t.Helper()
	online, err := audit.Verify(t.Context(), db, db, db, checkpoints...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := audit.Backup(t.Context(), &b, db, db); err != nil {
		offline.Problems = []audit.Problem{{What: err.Error()}} // a backup of a store that is not whole may fail
		return online, offline
	}
	offline, err = audit.VerifyBackup(&b, checkpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return online, offline
}

// What was not tampered with verifies, in place, in a backup, and after growing.
func TestVerifyWhole(t *testing.T) {
	db, _ := world(t)
	c := checkpoint(t, db)
	grow(t, db, 3)
	batch(t, db, "node-a", 20)
	batch(t, db, "node-c", 21)
	online, offline := both(t, db, c)
	when := c.Time
	entries := int64((2*worldBatches + 2) * worldEntries)
	expected := audit.Report{
		Changes: worldChanges + 3, Nodes: 3, Batches: 2*worldBatches + 2, Entries: entries, Checkpoints: 1, LastCheckpoint: &when, Problems: []audit.Problem{},
	}
	want(t, "online", online, expected)
	want(t, "offline", offline, expected)
	if err := online.Err(); err != nil {
		t.Error(err)
	}
}

// RULES "Audit": retention drops whole batches and keeps their hashes, and says so in a chain
// of its own. What is dropped is told as dropped; what is only made to look so is not.
func TestVerifyDropped(t *testing.T) {
	db, raw := world(t)
	c := checkpoint(t, db)
	n, err := db.Retain(t.Context(), time.Date(2026, 11, 23, 0, 4, 0, 0, time.UTC))
	if err != nil || n != 4*worldEntries {
		t.Fatal(n, err)
	}
	online, offline := both(t, db, c)
	for where, r := range map[string]audit.Report{"online": online, "offline": offline} {
		if len(r.Problems) != 0 || r.DroppedBatches != 4 || r.DroppedEntries != 4*worldEntries || r.DroppedUntil == nil || r.DroppedUntil.Hour() != 0 || r.DroppedUntil.Minute() != 3 {
			t.Errorf("%s: %+v", where, r)
		}
	}
	execute(t, raw, `DELETE FROM activity WHERE batch = (SELECT id FROM batch WHERE n = 4 AND node = (SELECT id FROM interned WHERE value = 'node-a'))`)
	execute(t, raw, `UPDATE batch SET dropped = 1 WHERE n = 4 AND node = (SELECT id FROM interned WHERE value = 'node-a')`)
	online, offline = both(t, db, c)
	for where, r := range map[string]audit.Report{"online": online, "offline": offline} {
		if !contains(r.Problems, "entries of up to 2026-11-23T00:06:00") {
			t.Errorf("made to look dropped, %s: %v", where, r.Problems)
		}
		if !contains(r.Problems, `activity of node "node-a", batch 4: is without its entries, and retention does not say`) {
			t.Errorf("made to look dropped, %s: %v", where, r.Problems)
		}
	}
}

// rehash makes the chain of changes anew from a row on, as whoever knows the format would.
func rehash(t *testing.T, raw *sql.DB, from int) {
	t.Helper()
	var prev []byte
	_ = raw.QueryRowContext(t.Context(), `SELECT hash FROM change WHERE seq = ?`, from-1).Scan(&prev) // none before the first
	rows, err := raw.QueryContext(t.Context(), `SELECT seq, kind, key, action, version, object, actor, at FROM change WHERE seq >= ? ORDER BY seq`, from)
	if err != nil {
		t.Fatal(err)
	}
	var list []domain.Change
	for rows.Next() {
		var c domain.Change
		var object []byte
		var at int64
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Key, &c.Action, &c.Version, &object, &c.Actor, &at); err != nil {
			t.Fatal(err)
		}
		c.Object, c.Time = object, time.UnixMicro(at)
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		prev = audit.HashChange(prev, c)
		execute(t, raw, `UPDATE change SET hash = ? WHERE seq = ?`, prev, int64(c.Seq))
	}
	execute(t, raw, `UPDATE feed SET seq = (SELECT max(seq) FROM change), hash = ?`, prev)
}

func execute(t *testing.T, raw *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := raw.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// D-106: whoever writes into the file of the database is found out, and where.
func TestTamperedStore(t *testing.T) {
	oneBatch := func(node string, n int) string {
		return fmt.Sprintf(`(SELECT id FROM batch WHERE n = %d AND node = (SELECT id FROM interned WHERE value = '%s'))`, n, node)
	}
	for name, c := range map[string]struct {
		sql     string
		redo    int    // the chain of changes is made anew from there
		problem string // one that is told online
		bare    bool   // found without a checkpoint too
	}{
		"a changed byte of a change":     {`UPDATE change SET object = replace(object, 'Billing', 'Willing') WHERE seq = 15`, 0, `change 15: is not as it was written`, true},
		"a changed actor":                {`UPDATE change SET actor = 'local:1' WHERE seq = 1`, 0, `change 1: is not as it was written`, true},
		"a removed change":               {`DELETE FROM change WHERE seq = 15`, 0, `change 15: is missing`, true},
		"several removed changes":        {`DELETE FROM change WHERE seq IN (15, 16)`, 0, `change 15: is missing, and so is every one up to 16`, true},
		"a removed change, closed up":    {`DELETE FROM change WHERE seq = 15; UPDATE change SET seq = seq - 1 WHERE seq > 15; UPDATE feed SET seq = seq - 1`, 0, `change 15: is not as it was written`, true},
		"an inserted change":             {`INSERT INTO change (seq, kind, key, action, version, object, actor, at, hash) SELECT 41, kind, key, action, version, object, actor, at, hash FROM change WHERE seq = 7`, 0, `change 41: is not as it was written`, true},
		"an inserted change, head moved": {`INSERT INTO change (seq, kind, key, action, version, object, actor, at, hash) SELECT 41, kind, key, action, version, object, actor, at, hash FROM change WHERE seq = 40; UPDATE feed SET seq = 41`, 0, `change 41: is not as it was written`, true},
		"swapped changes":                {`UPDATE change SET seq = -1 WHERE seq = 15; UPDATE change SET seq = 15 WHERE seq = 16; UPDATE change SET seq = 16 WHERE seq = -1`, 0, `change 15: is not as it was written`, true},
		"the last change removed":        {`DELETE FROM change WHERE seq = 40`, 0, `change 40: is the last one written, and the last one there is 39`, true},
		"a cut tail of changes":          {`DELETE FROM change WHERE seq > 30; UPDATE feed SET seq = 30, hash = (SELECT hash FROM change WHERE seq = 30)`, 0, `change 31: is missing, and so is what came up to 40, which was there at the checkpoint of 2026-11-23T13:00:00Z`, true},
		"a chain written anew":           {`UPDATE change SET actor = 'local:1' WHERE seq = 15`, 15, `change 40: is another than the one of the checkpoint of 2026-11-23T13:00:00Z`, false},
		"all changes removed":            {`DELETE FROM change; UPDATE feed SET seq = 0, hash = x''`, 0, `change 1: is missing, and so is what came up to 40`, true},

		"a changed byte of an entry": {`UPDATE activity SET correlation = 'new line' WHERE batch = ` + oneBatch("node-b", 2) + ` AND correlation LIKE 'new%'`, 0, `activity of node "node-b", batch 2: is not as it was written`, true},
		"a changed count":            {`UPDATE activity SET count = 4 WHERE batch = ` + oneBatch("node-b", 2) + ` AND count = 3`, 0, `activity of node "node-b", batch 2: is not as it was written`, true},
		"a removed entry":            {`DELETE FROM activity WHERE id = (SELECT id FROM activity WHERE batch = ` + oneBatch("node-b", 2) + ` LIMIT 1 OFFSET 3)`, 0, `activity of node "node-b", batch 2: has 7 entries of 8: some were removed`, true},
		"an inserted entry":          {`INSERT INTO activity (id, batch, action) SELECT CAST(substr(id, 1, 15) || x'fe' AS BLOB), batch, action FROM activity WHERE batch = ` + oneBatch("node-b", 2) + ` LIMIT 1 OFFSET 3`, 0, `activity of node "node-b", batch 2: has 9 entries in place of 8: some were inserted`, true},
		"swapped batches":            {`UPDATE batch SET n = 100 WHERE id = ` + oneBatch("node-a", 2) + `; UPDATE batch SET n = 2 WHERE id = ` + oneBatch("node-a", 3) + `; UPDATE batch SET n = 3 WHERE n = 100`, 0, `activity of node "node-a", batch 2: is not as it was written`, true},
		"a removed batch":            {`DELETE FROM activity WHERE batch = ` + oneBatch("node-a", 2) + `; DELETE FROM batch WHERE id = ` + oneBatch("node-a", 2), 0, `activity of node "node-a", batch 2: is missing`, true},
		"a cut tail of activity":     {`DELETE FROM activity WHERE batch = ` + oneBatch("node-a", 4) + `; DELETE FROM batch WHERE id = ` + oneBatch("node-a", 4), 0, `activity of node "node-a", batch 4: is missing, and so is what came up to 4, which was there at the checkpoint`, false},
		"a whole node removed":       {`DELETE FROM activity WHERE batch IN (SELECT id FROM batch WHERE node = (SELECT id FROM interned WHERE value = 'node-b')); DELETE FROM batch WHERE node = (SELECT id FROM interned WHERE value = 'node-b')`, 0, `activity of node "node-b", batch 1: is missing, and so is what came up to 4`, false},
	} {
		t.Run(name, func(t *testing.T) {
			db, raw := world(t)
			point := checkpoint(t, db)
			execute(t, raw, c.sql)
			if c.redo > 0 {
				rehash(t, raw, c.redo)
			}
			online, offline := both(t, db, point)
			for where, r := range map[string]audit.Report{"online": online, "offline": offline} {
				if len(r.Problems) == 0 || where == "online" && !contains(r.Problems, c.problem) {
					t.Errorf("%s: %v, want %s", where, r.Problems, c.problem)
				}
			}
			if bare, _ := both(t, db); (len(bare.Problems) > 0) != c.bare {
				t.Errorf("without a checkpoint: %v", bare.Problems)
			}
		})
	}
}

func contains(list []audit.Problem, prefix string) bool {
	for _, p := range list {
		if strings.HasPrefix(p.String(), prefix) {
			return true
		}
	}
	return false
}
