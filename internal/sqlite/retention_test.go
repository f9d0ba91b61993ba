package sqlite_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/sqlite"
)

// first is when the activity of minutes begins.
func first() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// minutes is a store with a batch of so many entries in each of n minutes, and a way past it.
func minutes(t *testing.T, n, entries int) (*sqlite.DB, *sql.DB) {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir)
	for i := range n {
		if err := db.Append(t.Context(), "node-1", storetest.Entries(first().Add(time.Duration(i)*time.Minute), entries)); err != nil {
			t.Fatal(err)
		}
	}
	return db, beside(t, dir)
}

// D-106: what retention dropped it names in its chain, so that what somebody else removed does
// not pass for it, and nothing passes for what it dropped.
func TestTamperedRetentionIsFound(t *testing.T) {
	const young = `(SELECT max(id) FROM batch WHERE node = (SELECT id FROM interned WHERE value = 'node-1'))`
	for name, text := range map[string]string{
		"nothing":          ``,
		"made to look old": `DELETE FROM activity WHERE batch = ` + young + `; UPDATE batch SET dropped = 1, last = zeroblob(16) WHERE id = ` + young,
		"a middle one":     `DELETE FROM activity WHERE batch = 6; UPDATE batch SET dropped = 1, last = zeroblob(16) WHERE id = 6`,
		"not dropped":      `UPDATE batch SET dropped = NULL WHERE id = 2`,
		"fewer entries":    `UPDATE batch SET entries = entries - 1 WHERE id = 2`,
		"what it told":     `UPDATE activity SET details = replace(details, '"to":4', '"to":5') WHERE details IS NOT NULL`,
		"that it told": `DELETE FROM activity WHERE details IS NOT NULL;
 DELETE FROM batch WHERE node = (SELECT id FROM interned WHERE value = 'retention')`,
	} {
		t.Run(name, func(t *testing.T) {
			db, raw := minutes(t, 8, 16)
			if n, err := db.Retain(t.Context(), first().Add(4*time.Minute)); err != nil || n != 64 {
				t.Fatal(n, err)
			}
			if _, err := raw.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			if err := verify(t, db); errors.Is(err, audit.ErrBroken) != (name != "nothing") {
				t.Errorf("%v", err)
			}
		})
	}
}

// D-106: that retention once told without names is no way back to it: the last that it told is
// always there.
func TestNamesTakenBackAreFound(t *testing.T) {
	db, raw := minutes(t, 8, 16)
	old := domain.Entry{ID: domain.NewEventID(first()), Action: domain.ActivityDropped, Details: `{"before":"2026-11-23T00:02:00Z","entries":32}`}
	if err := db.Append(t.Context(), domain.RetentionNode, []domain.Entry{old}); err != nil {
		t.Fatal(err)
	}
	execute := func(text string) {
		t.Helper()
		if _, err := raw.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	execute(`DELETE FROM activity WHERE batch <= 2; UPDATE batch SET dropped = 1 WHERE id <= 2`)
	if err := verify(t, db); err != nil {
		t.Fatalf("as an older version left it: %v", err)
	}
	if n, err := db.Retain(t.Context(), first().Add(4*time.Minute)); err != nil || n != 32 {
		t.Fatal(n, err)
	}
	if err := verify(t, db); err != nil {
		t.Fatal(err)
	}
	execute(`DELETE FROM activity WHERE batch >= 7 AND batch <> 9; UPDATE batch SET dropped = 1 WHERE id >= 7 AND id <> 9;
 UPDATE batch SET last = zeroblob(16) WHERE dropped IS NOT NULL`)
	if err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("not found: %v", err)
	}
}

// D-106: entries made up for a batch that retention dropped, its hash made anew, are found: the
// chain behind it cannot tell, as what follows is gone too. So are they where as many others
// went in their place.
func TestEntriesForADroppedBatchAreFound(t *testing.T) {
	db, raw := minutes(t, 3, 1)
	if n, err := db.Retain(t.Context(), first().Add(2*time.Minute)); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	forged := domain.Entry{ID: domain.NewEventID(first()), Action: domain.TokenIssued}
	for _, one := range []struct {
		text string
		args []any
	}{
		{`INSERT OR IGNORE INTO interned (value) VALUES ('token.issue')`, nil},
		{`INSERT INTO activity (id, batch, action) VALUES (?, 1, (SELECT id FROM interned WHERE value = 'token.issue'))`, []any{forged.ID[:]}},
		{`UPDATE batch SET dropped = NULL, first = ?, last = ?, hash = ? WHERE id = 1`,
			[]any{forged.ID[:], forged.ID[:], audit.HashBatch(nil, "node-1", 1, []domain.Entry{forged})}},
	} {
		if _, err := raw.ExecContext(t.Context(), one.text, one.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("not found: %v", err)
	}
	const more = `DELETE FROM activity WHERE batch = 3; UPDATE batch SET dropped = 1, last = zeroblob(16) WHERE id = 3`
	if _, err := raw.ExecContext(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("not found, where as many went: %v", err)
	}
}
