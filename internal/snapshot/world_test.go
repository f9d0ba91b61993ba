package snapshot_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/dialect"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is a real store with its vault, two clocks, and what a node logs.
type world struct {
	t        testing.TB
	db       *sqlite.DB
	vault    *keys.Vault
	local    *clock // of the node
	database *clock
	log      *logged
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns what was logged since.
func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, local: &clock{t: start}, database: &clock{t: start}, log: &logged{}}
	dir := t.TempDir()
	var err error
	w.db, err = sqlite.Open(t.Context(), dir, sqlite.Options{Now: w.database.now})
	w.check(err)
	t.Cleanup(func() { w.check(w.db.Close()) })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	w.check(err)
	w.vault, err = keys.OpenVault(t.Context(), w.db, master, start)
	w.check(err)
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// config is that of a node on the store given.
func (w *world) config(store domain.Store) snapshot.Config {
	return snapshot.Config{
		Store: store, Vault: w.vault, Dialects: dialect.Builtin(), Clients: 1000, MaxStaleness: time.Minute, Local: w.local.now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
}

func (w *world) open(store domain.Store) *snapshot.Snapshot {
	w.t.Helper()
	s, err := snapshot.Open(w.t.Context(), w.config(store))
	w.check(err)
	return s
}

// object is what a table holds.
type object interface {
	Kind() domain.Kind
	Key() string
}

func put[T object](t testing.TB, store domain.Store, table func(domain.Tables) domain.Table[T], v T, ifVersion int64) domain.Seq {
	t.Helper()
	seq, err := store.Change(context.Background(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		_, err := table(tables).Put(context.Background(), v, ifVersion)
		return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "test.put"}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func clients(t domain.Tables) domain.Table[domain.Client] { return t.Clients }
func issuers(t domain.Tables) domain.Table[domain.Issuer] { return t.Issuers }
func tenants(t domain.Tables) domain.Table[domain.Tenant] { return t.Tenants }
func keyRows(t domain.Tables) domain.Table[domain.Key]    { return t.Keys }

// issuer puts an issuer with a key that signs.
func (w *world) issuer(name, dialect, url, alg string, hosts ...string) domain.Issuer {
	w.t.Helper()
	i := domain.Issuer{Name: name, URL: url, Dialect: dialect, Algorithm: alg, Hosts: hosts}
	i.Defaults()
	put(w.t, w.db, issuers, i, 0)
	k, err := keys.Make(&i, w.vault.Ring, start, start)
	w.check(err)
	put(w.t, w.db, keyRows, k, 0)
	return i
}

func client(epoch int64) domain.Client {
	return domain.Client{Issuer: "main", ID: "c", Name: "c", Status: domain.Enabled, Epoch: epoch, Audiences: []string{"a"}}
}

// faulty is a store that can be made to fail, or to stall.
type faulty struct {
	domain.Store
	mu     sync.Mutex
	head   func(domain.Head, error) (domain.Head, error)
	follow func([]domain.Change, error) ([]domain.Change, error)
	change func()
}

func (f *faulty) set(head func(domain.Head, error) (domain.Head, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head = head
}

func (f *faulty) Head(ctx context.Context) (domain.Head, error) {
	h, err := f.Store.Head(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head != nil {
		return f.head(h, err)
	}
	return h, err
}

func (f *faulty) Follow(ctx context.Context, after domain.Seq, most int) ([]domain.Change, error) {
	c, err := f.Store.Follow(ctx, after, most)
	if f.follow != nil {
		return f.follow(c, err)
	}
	return c, err
}

func (f *faulty) Change(ctx context.Context, by domain.Actor, do func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	seq, err := f.Store.Change(ctx, by, do)
	if f.change != nil {
		f.change()
	}
	return seq, err
}
