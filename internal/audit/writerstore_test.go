package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/sqlite"
)

// The whole way, on the real thing: an unclean stop is told by an entry in a
// chain that verifies.
func TestGapInARealStore(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := audit.Start(t.Context(), audit.Options{
			Node: "n", Mode: audit.Sync, Activity: db, Marks: db, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		record(t, w, 2)
		if run != 0 { // the first one ends like a killed process: unmarked
			closed(t, w)
		}
		gaps, err := db.Search(t.Context(), domain.Query{Action: domain.ActivityGap})
		if err != nil {
			t.Fatal(err)
		}
		want(t, fmt.Sprint("gaps in run ", run), len(gaps), min(run, 1))
		n, err := audit.VerifyBatches(t.Context(), db)
		if err != nil || n != int64(2*(run+1)+len(gaps)) {
			t.Errorf("%d entries, %v", n, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// deaf is a store whose first answer is lost: what was to be appended is.
type deaf struct {
	*sqlite.DB
	heard bool
}

func (d *deaf) Append(ctx context.Context, node string, batch []domain.Entry) error {
	err := d.DB.Append(ctx, node, batch)
	if !d.heard && err == nil {
		d.heard, err = true, errors.New("the connection was lost")
	}
	return err
}

// A large batch with an id that is there twice, or of which the answer was lost, is in a real
// store once, whole, and its chain verifies.
func TestDuplicatesInARealStore(t *testing.T) {
	for name, heard := range map[string]bool{"an id twice": true, "the answer lost": false} {
		t.Run(name, func(t *testing.T) {
			db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // read only by now
			w, err := audit.Start(t.Context(), audit.Options{
				Node: "n", Activity: &deaf{db, heard}, Marks: db, Log: slog.New(slog.DiscardHandler), Now: time.Now,
			})
			if err != nil {
				t.Fatal(err)
			}
			const n = 300
			twice := issued()
			for i := range n {
				e := issued()
				e.Scope = fmt.Sprint("scope ", i)
				if heard && i%100 == 50 {
					e = twice
				}
				if err := w.Record(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			closed(t, w)
			kept := int64(n)
			if heard {
				kept -= 2
			}
			stats := w.Stats()
			if heard && stats.Duplicate != 2 || !heard && (stats.Duplicate == 0 || stats.Failures != 1) {
				t.Errorf("%+v", stats)
			}
			if got, err := audit.VerifyBatches(t.Context(), db); err != nil || got != kept {
				t.Errorf("%d entries of %d, %v", got, kept, err)
			}
		})
	}
}
