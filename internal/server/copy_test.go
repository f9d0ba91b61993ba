package server_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/sqlite"
)

// held is all that a store holds, as its users see it.
type held struct {
	Clients []domain.Client
	Keys    []domain.Key
	APIs    []domain.API
	Policy  []domain.Policy
	Tiers   []domain.Tier
	Changes []domain.Change
	Seq     domain.Seq
	Hash    []byte
	Entries []domain.Entry
	Batches []audit.Batch
	Mark    string
}

func holds(t *testing.T, s storetest.Store) (h held) {
	t.Helper()
	ctx := t.Context()
	clients, err1 := s.Read().Clients.List(ctx, domain.Page{})
	keys, err2 := s.Read().Keys.List(ctx, domain.Page{})
	apis, errA := s.Read().APIs.List(ctx, domain.Page{})
	policies, errP := s.Read().Policies.List(ctx, domain.Page{})
	tiers, errT := s.Read().Tiers.List(ctx, domain.Page{})
	changes, err3 := s.Follow(ctx, 0, 1000)
	head, err4 := s.Head(ctx)
	entries, err5 := s.Search(ctx, domain.Query{Limit: 10_000})
	mark, err6 := s.Meta(ctx, "mark")
	h = held{clients, keys, apis, policies, tiers, changes, head.Seq, head.Hash, entries, nil, mark}
	err7 := s.EachBatch(ctx, func(b audit.Batch, _ []domain.Entry) error {
		h.Batches = append(h.Batches, b)
		return nil
	})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, errA, errP, errT); err != nil {
		t.Fatal(err)
	}
	return h
}

// fill writes 100 clients, a key, an API, a policy, a tier, 700 entries of two nodes, and what the nodes note.
func fill(t *testing.T, s storetest.Store) {
	t.Helper()
	ctx := t.Context()
	for i := range 100 {
		c := domain.Client{Issuer: "rfc", ID: domain.NewEventID(time.Now()).String(), Name: "Ünïcode \"<&>", Secrets: []domain.Secret{{ID: "s", Hash: storetest.Canary}}}
		k := domain.Key{Issuer: "rfc", ID: c.ID, Sealed: []byte{0, 1, 255, byte(i)}}
		_, err := s.Change(ctx, "local:1", func(tables domain.Tables) ([]domain.Change, error) {
			list := []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"}}
			if i == 0 {
				list = append(list, domain.Change{Kind: domain.KindKey, Key: k.Key(), Action: "key.create"})
				if _, err := tables.Keys.Put(ctx, k, 0); err != nil {
					return nil, err
				}
			}
			_, err := tables.Clients.Put(ctx, c, 0)
			return list, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fillAPI(t, s)
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for i, node := range []string{"a", "b", "a"} {
		list := storetest.Entries(at.Add(time.Duration(i)*time.Minute), 233)
		list[7].Correlation, list[8].Count, list[9].Client = "it's", 4_000_000_000, ""
		list[10].Action, list[10].Reason, list[10].Resource = domain.CallRefused, "no_route", "reports"
		if err := s.Append(ctx, node, list); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetMeta(ctx, "mark", "serve"); err != nil {
		t.Fatal(err)
	}
}

// fillAPI writes an API, a policy and a tier.
func fillAPI(t *testing.T, s storetest.Store) {
	t.Helper()
	a := domain.API{Name: "reports", Audience: "https://api.example", Issuers: []string{"rfc"}, Routes: []domain.Route{{Method: "GET", Path: "/x"}}}
	p := domain.Policy{Name: "reader", Actions: map[string]string{"reports:read": "Read \"<&>"}}
	n := domain.Tier{Name: "bulk", PerMinute: 5}
	_, err := s.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		_, errA := tables.APIs.Put(t.Context(), a, 0)
		_, errP := tables.Policies.Put(t.Context(), p, 0)
		_, errN := tables.Tiers.Put(t.Context(), n, 0)
		return []domain.Change{
			{Kind: a.Kind(), Key: a.Key(), Action: "api.create"}, {Kind: p.Kind(), Key: p.Key(), Action: "policy.create"}, {Kind: n.Kind(), Key: n.Key(), Action: "tier.create"},
		}, errors.Join(errA, errP, errN)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// goesOn fails the test where a copied store cannot be written on.
func goesOn(t *testing.T, s storetest.Store) {
	t.Helper()
	list := storetest.Entries(time.Now(), 300)
	for i := range list {
		list[i].Scope = "new " + list[i].Scope
	}
	if err := s.Append(t.Context(), "a", list); err != nil {
		t.Error(err)
	}
	_, err := s.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		c := domain.Client{Issuer: "rfc", ID: "after"}
		_, err := tables.Clients.Put(t.Context(), c, 0)
		return []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"}}, err
	})
	_, errC := audit.VerifyChanges(t.Context(), s)
	_, errA := audit.VerifyBatches(t.Context(), s)
	if err := errors.Join(err, errC, errA); err != nil {
		t.Error(err)
	}
}

// place is a store by its name for Copy, and how to open it.
type place struct {
	path string
	open func() (storetest.Store, error)
}

func directory(t *testing.T) place {
	dir := filepath.Join(t.TempDir(), "data")
	return place{dir, func() (storetest.Store, error) { return sqlite.Open(t.Context(), dir, sqlite.Options{}) }}
}

func database(t *testing.T, s *pgtest.Server) place {
	t.Helper()
	url := s.Database(t)
	address, err := postgres.ParseAddress(url)
	file := filepath.Join(t.TempDir(), "url")
	if err = errors.Join(err, os.WriteFile(file, []byte(url+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return place{file, func() (storetest.Store, error) {
		return postgres.Open(t.Context(), address, postgres.Options{Node: "a"})
	}}
}

func (p place) use(t *testing.T, f func(*testing.T, storetest.Store)) {
	t.Helper()
	s, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	f(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// An installation moves both ways, with its private parts, hashes and numbers, and goes on there.
func TestCopy(t *testing.T) {
	pg := pgtest.Start(t)
	first, second, third, fourth := directory(t), database(t, pg), database(t, pg), directory(t)
	first.use(t, fill)
	var want held
	first.use(t, func(t *testing.T, s storetest.Store) { want = holds(t, s) })
	if len(want.Clients) != 100 || len(want.APIs) != 1 || len(want.Policy) != 1 || len(want.Tiers) != 1 || want.Seq != 104 || len(want.Entries) != 699 || len(want.Batches) != 3 {
		t.Fatalf("%d clients, %d changes, %d entries, %d batches", len(want.Clients), want.Seq, len(want.Entries), len(want.Batches))
	}
	for _, way := range [][2]place{{first, second}, {second, third}, {third, fourth}} {
		rows, err := server.Copy(t.Context(), way[0].path, way[1].path)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, r := range rows {
			got[r.Table] = r.Rows
		}
		if got["object"] != 104 || got["change"] != 104 || got["activity"] != 699 || got["batch"] != 3 || got["meta"] != 1 || got["interned"] < 500 {
			t.Errorf("%v", got)
		}
		way[1].use(t, func(t *testing.T, s storetest.Store) {
			if d := cmp.Diff(want, holds(t, s)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
	for _, p := range []place{second, fourth} {
		p.use(t, goesOn)
	}
}

func TestCopyRefuses(t *testing.T) {
	pg := pgtest.Start(t)
	full, fullPG, dir, empty := directory(t), database(t, pg), directory(t), database(t, pg)
	full.use(t, fill)
	fullPG.use(t, fill)
	refused := func(name, from, to string, want error) {
		t.Helper()
		if rows, err := server.Copy(t.Context(), from, to); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	refused("to a database that is not empty", full.path, fullPG.path, server.ErrNotEmpty)
	refused("to a directory that is not empty", fullPG.path, full.path, server.ErrNotEmpty)
	refused("to itself", full.path, full.path, nil)
	refused("from nothing", filepath.Join(t.TempDir(), "none"), empty.path, server.ErrNoStore)
	refused("from a directory without a store", t.TempDir(), empty.path, server.ErrNoStore)
	full.use(t, func(t *testing.T, _ storetest.Store) {
		refused("from a directory in use", full.path, empty.path, server.ErrBusy)
	})
	fullPG.use(t, func(t *testing.T, _ storetest.Store) {
		refused("from a database in use", fullPG.path, dir.path, server.ErrBusy)
	})
	empty.use(t, func(t *testing.T, _ storetest.Store) {
		refused("to a database in use", full.path, empty.path, server.ErrBusy)
	})
	raw, err := sql.Open("sqlite", filepath.Join(full.path, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.ExecContext(context.Background(), `UPDATE change SET actor = 'local:0' WHERE seq = 50`)
	if err = errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	refused("from one that was tampered with", full.path, empty.path, audit.ErrBroken)
	empty.use(t, func(t *testing.T, s storetest.Store) {
		if list, err := s.Follow(t.Context(), 0, 10); err != nil || len(list) != 0 {
			t.Errorf("%d changes were left behind, %v", len(list), err)
		}
	})
}
