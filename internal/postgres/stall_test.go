package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/dialect"
)

// stalling is a store whose reads of clients stall between the row and the answer.
type stalling struct {
	domain.Store
	stall func()
}

func (s stalling) Read() domain.Tables {
	tables := s.Store.Read()
	tables.Clients = stallingTable{tables.Clients, s.stall}
	return tables
}

type stallingTable struct {
	domain.Table[domain.Client]
	stall func()
}

func (t stallingTable) Get(ctx context.Context, key string) (domain.Client, error) {
	c, err := t.Table.Get(ctx, key)
	t.stall()
	return c, err
}

// follower is a snapshot of a second node.
func follower(t *testing.T, db *postgres.DB, stall func()) *snapshot.Snapshot {
	t.Helper()
	master, err := seal.NewMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(t.Context(), db, master, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), snapshot.Config{
		Store: stalling{db, stall}, Vault: vault, Dialects: dialect.Builtin(), Clients: 1000, MaxStaleness: time.Minute, Local: time.Now,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RULES "Snapshot and feed": a fill that another node's change overtakes is
// discarded: neither the row before it nor its absence is served or kept.
func TestStalledFill(t *testing.T) {
	server := pgtest.Start(t)
	for name, before := range map[string]int64{"changed": 1, "created": 0} {
		t.Run(name, func(t *testing.T) {
			url := server.Database(t)
			here, there := open(t, url), open(t, url)
			var reads atomic.Int32
			read, release := make(chan struct{}), make(chan struct{})
			s := follower(t, here, func() {
				if reads.Add(1) == 1 {
					close(read)
					<-release
				}
			})
			if before > 0 {
				putEpoch(t, there, before, 0)
			}
			if err := s.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			type answer struct {
				c   *snapshot.Client
				err error
			}
			answered := make(chan answer)
			go func() {
				c, err := s.Client(t.Context(), "rfc", "a")
				answered <- answer{c, err}
			}()
			<-read
			seq := putEpoch(t, there, 2, before)
			if err := s.Poll(t.Context()); err != nil || s.Applied() != seq {
				t.Fatalf("applied %d of %d, %v", s.Applied(), seq, err)
			}
			close(release)
			if got := <-answered; got.err != nil || got.c.Epoch != 2 {
				t.Errorf("served %+v, %v", got.c, got.err)
			}
			if kept, err := s.Client(t.Context(), "rfc", "a"); err != nil || kept.Epoch != 2 {
				t.Errorf("kept %+v, %v", kept, err)
			}
			if n := reads.Load(); n != 2 {
				t.Errorf("%d reads", n)
			}
		})
	}
}

func putEpoch(t *testing.T, db *postgres.DB, epoch, ifVersion int64) domain.Seq {
	t.Helper()
	c := client("a")
	c.Epoch = epoch
	seq, err := db.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
		_, err := tables.Clients.Put(t.Context(), c, ifVersion)
		return []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.put"}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// Nodes that make the vault at once have one vault; with another master key a
// node does not start.
func TestVaultAtOnce(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	master, err := seal.NewMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	const nodes = 4
	failed := make(chan error, nodes)
	dbs := make([]*postgres.DB, nodes)
	for i := range dbs {
		dbs[i] = open(t, url)
	}
	for _, db := range dbs {
		go func() {
			_, err := keys.OpenVault(t.Context(), db, master, time.Now())
			failed <- err
		}()
	}
	for range nodes {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	list, err := dbs[0].Read().Vault.List(t.Context(), domain.Page{})
	if err != nil || len(list) != 2 {
		t.Errorf("%d keys in the vault, %v", len(list), err)
	}
	other, err := seal.NewMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.OpenVault(t.Context(), dbs[0], other, time.Now()); !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("with another master key: %v", err)
	}
}
