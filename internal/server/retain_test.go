package server_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/sqlite"
)

// told is a log that tells when a line has come.
type told struct {
	word string
	came chan struct{}
	once sync.Once
}

func (l *told) Write(p []byte) (int, error) {
	if strings.Contains(string(p), l.word) {
		l.once.Do(func() { close(l.came) })
	}
	return len(p), nil
}

// RULES "Audit": what is older than audit.keep goes, and the rest verifies.
func TestOldActivityIsDropped(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{now.AddDate(0, 0, -40), now.AddDate(0, 0, -1)} {
		if err := db.Append(t.Context(), "n", []domain.Entry{{ID: domain.NewEventID(at), Action: domain.TokenIssued, Issuer: "i"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Data, c.MasterKeyFile, c.Audit.Keep = dir, filepath.Join(dir, "master.key"), 30*24*3600
	if _, err := seal.NewMaster(c.MasterKeyFile); err != nil {
		t.Fatal(err)
	}
	log := &told{word: "old activity is dropped", came: make(chan struct{})}
	n, err := server.Open(t.Context(), server.Options{Config: c, Stamp: server.Serve, Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	<-log.came                                            // never: the test ends by its own timeout
	if err := n.Close(context.Background()); err != nil { //nolint:usetesting // it is the end of the test
		t.Fatal(err)
	}
	if db, err = sqlite.Open(t.Context(), dir, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // read only
	list, err := db.Search(t.Context(), domain.Query{Action: domain.TokenIssued})
	if err != nil || len(list) != 1 || list[0].ID.Time().Before(now.AddDate(0, 0, -2)) {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := audit.VerifyBatches(t.Context(), db); err != nil {
		t.Error(err)
	}
}
