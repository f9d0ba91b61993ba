package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/server"
)

// An installation that moves to PostgreSQL and back goes on issuing: same
// secrets, same keys, nothing to tell the integrators.
func TestMovedInstallation(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	dir := t.TempDir()
	file, back, master := filepath.Join(dir, "url"), filepath.Join(dir, "back"), filepath.Join(dir, "master.key")
	if err := os.WriteFile(file, []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
	w := openAt(t, time.Now, func(c *config.Config) { c.MasterKeyFile = master })
	if _, err := w.create(nodesIssuer); err != nil {
		t.Fatal(err)
	}
	list, err := w.create(nodesClient)
	if err != nil {
		t.Fatal(err)
	}
	goesOn := func(w *world) {
		t.Helper()
		conn := &wire{address: w.addresses[0]}
		defer conn.close()
		if !issues(t, conn, list[0]) {
			t.Error("refused")
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
	goesOn(w)
	if _, err := server.Copy(t.Context(), w.data, file); err != nil {
		t.Fatal(err)
	}
	goesOn(openAt(t, time.Now, func(c *config.Config) { c.MasterKeyFile, c.Store.PostgresFile = master, file }))
	if _, err := server.Copy(t.Context(), file, back); err != nil {
		t.Fatal(err)
	}
	goesOn(openAt(t, time.Now, func(c *config.Config) { c.MasterKeyFile, c.Data = master, back }))
}
