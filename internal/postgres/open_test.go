package postgres_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

const password = "canary-9f2e"

// COM-05: what is wrong with an address is said without its password.
func TestReadAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	good := "postgres://postern:" + password + "@db.example:5433/postern"
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       error
	}{
		{"good", good + "\n", 0o600, nil},
		{"read by others", good, 0o640, postgres.ErrPermissions},
		{"empty", "", 0o600, postgres.ErrNotURL},
		{"key and value", "host=x password=" + password, 0o600, postgres.ErrNotURL},
		{"another scheme", "mysql://u:" + password + "@x/y", 0o600, postgres.ErrNotURL},
		{"two lines", good + "\n" + good, 0o600, postgres.ErrNotURL},
		{"port", "postgres://u:" + password + "@x:port/y", 0o600, postgres.ErrNotURL},
		{"escape", "postgres://u:%zz" + password + "@x/y", 0o600, postgres.ErrNotURL},
	} {
		if err := os.WriteFile(file, []byte(test.text), test.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, test.mode); err != nil {
			t.Fatal(err)
		}
		a, err := postgres.ReadAddress(file)
		if !errors.Is(err, test.want) || strings.Contains(fmt.Sprintf("%v %v %+v %#v", err, a, a, a), password) {
			t.Errorf("%s: %v, %v", test.name, a, err)
		}
	}
}

// What goes to another machine is encrypted, and never falls back to plain text.
func TestAddressBeyondThisMachine(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u@db.example/x":                         true,
		"postgres://u@127.0.0.1,db.example/x":               true,
		"postgres://u@127.0.0.1/x":                          false,
		"postgres://u@[::1]:5433/x":                         false,
		"postgres:///x?host=/run/postgresql":                false,
		"postgres://u@db.example/x?sslmode=disable":         false,
		"postgres://u@db.example/x?sslmode=require&port=99": true,
	} {
		if got := postgres.Encrypted(address(t, url)); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	server := pgtest.Start(t)
	found := server.Database(t)
	u, err := neturl.Parse(found)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, test := range []struct{ name, url, want string }{
		{"no server", "postgres://postgres:" + password + "@" + closed.Addr().String() + "/x", "cannot reach PostgreSQL"},
		{"wrong password", "postgres://postgres:" + password + "@127.0.0.1:" + u.Query().Get("port") + u.Path, "wrong user or password"},
		{"no database", strings.Replace(found, u.Path, "/nowhere", 1), `PostgreSQL has no database "nowhere"`},
	} {
		_, err := postgres.Open(t.Context(), address(t, test.url), postgres.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestOpenRefusesANewerDatabase(t *testing.T) {
	found := pgtest.Start(t).Database(t)
	open(t, found)
	pgtest.Exec(t, found, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	if _, err := postgres.Open(t.Context(), address(t, found), postgres.Options{}); !errors.Is(err, postgres.ErrNewer) {
		t.Errorf("opened: %v", err)
	}
}

// What the first version wrote is kept, verifies, is found, and is written on.
func TestOpenMigratesTheFirstVersion(t *testing.T) {
	found := pgtest.Start(t).Database(t)
	raw, err := sql.Open("pgx", found)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close() //nolint:errcheck // nothing waits
	p, err := goose.NewProvider(goose.DialectPostgres, raw, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	statements, old := storetest.First(func(b []byte) string { return fmt.Sprintf(`'\x%x'`, b) })
	for _, text := range statements {
		pgtest.Exec(t, found, text)
	}
	pgtest.Exec(t, found, `SELECT setval(pg_get_serial_sequence('interned', 'id'), 100)`)
	pgtest.Exec(t, found, `SELECT setval(pg_get_serial_sequence('batch', 'id'), 100)`)
	storetest.Upgraded(t, open(t, found), old)
}

// Nodes that start at once on an empty database make its tables once.
func TestOpenAtOnce(t *testing.T) {
	found := pgtest.Start(t).Database(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			db, err := postgres.Open(t.Context(), address(t, found), postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := db.Head(t.Context()); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// Each node chains its own activity, so there is one of each name; whoever wants
// the database alone gets it when nobody else has it.
func TestPresence(t *testing.T) {
	found := pgtest.Start(t).Database(t)
	with := func(o postgres.Options) (*postgres.DB, error) {
		return postgres.Open(t.Context(), address(t, found), o)
	}
	a, err := with(postgres.Options{Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := with(postgres.Options{Node: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := with(postgres.Options{Node: "a"}); !errors.Is(err, postgres.ErrNode) {
		t.Errorf("a second node of one name: %v", err)
	}
	if _, err := with(postgres.Options{Alone: true}); !errors.Is(err, postgres.ErrInUse) {
		t.Errorf("alone beside two nodes: %v", err)
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	alone, err := with(postgres.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close() //nolint:errcheck // read only
	if _, err := with(postgres.Options{Node: "a"}); !errors.Is(err, postgres.ErrInUse) {
		t.Errorf("a node beside one that is alone: %v", err)
	}
}
