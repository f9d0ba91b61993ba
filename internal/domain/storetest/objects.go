package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

func roundTrip(t *testing.T, s Store) {
	c, k := client("rfc", "a"), key("rfc", "k1")
	v := domain.VaultKey{ID: "v1", Purpose: domain.VaultData, Created: c.Created, Current: true, Sealed: []byte{0, 1, 2, 255}}
	i := domain.Issuer{Name: "rfc", URL: "https://auth.example/x", Environment: "prod", Dialect: "rfc", Algorithm: "ES256", KeyMaxAge: 3600}
	n := domain.Tenant{ID: "t1", Label: "Ünïcode \"<&>", Hosts: map[string][]string{"rfc": {"a.example"}}, Ceiling: &domain.Ceiling{Policies: []string{"p"}}}
	d := domain.Tombstone{Issuer: "rfc", ID: "gone", Epoch: 9, Deleted: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, version := range []int64{
		put(t, s, clients, c, 0),
		put(t, s, func(t domain.Tables) domain.Table[domain.Key] { return t.Keys }, k, 0),
		put(t, s, func(t domain.Tables) domain.Table[domain.VaultKey] { return t.Vault }, v, 0),
		put(t, s, func(t domain.Tables) domain.Table[domain.Issuer] { return t.Issuers }, i, 0),
		put(t, s, func(t domain.Tables) domain.Table[domain.Tenant] { return t.Tenants }, n, 0),
		put(t, s, func(t domain.Tables) domain.Table[domain.Tombstone] { return t.Tombstones }, d, 0),
	} {
		same(t, "first version", version, int64(1))
	}
	c.Version, k.Version, v.Version, i.Version, n.Version, d.Version = 1, 1, 1, 1, 1, 1
	read, ctx := s.Read(), t.Context()
	gotC, errC := read.Clients.Get(ctx, c.Key())
	gotK, errK := read.Keys.Get(ctx, k.Key())
	gotV, errV := read.Vault.Get(ctx, v.Key())
	gotI, errI := read.Issuers.Get(ctx, i.Key())
	gotN, errN := read.Tenants.Get(ctx, n.Key())
	gotD, errD := read.Tombstones.Get(ctx, d.Key())
	if err := errors.Join(errC, errK, errV, errI, errN, errD); err != nil {
		t.Fatal(err)
	}
	same(t, "client with its hashes", gotC, c)
	same(t, "key with its private part", gotK, k)
	same(t, "vault key", gotV, v)
	same(t, "issuer", gotI, i)
	same(t, "tenant", gotN, n)
	same(t, "tombstone", gotD, d)
	if _, err := read.Clients.Get(ctx, "rfc/none"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("get of nothing: %v", err)
	}
	if _, err := read.Keys.Get(ctx, c.Key()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the key of a client is none of a signing key: %v", err)
	}
	verified(t, s)
}

func versions(t *testing.T, s Store) {
	c := client("rfc", "a")
	put(t, s, clients, c, 0)
	c.Name = "second"
	same(t, "second version", put(t, s, clients, c, 1), int64(2))
	try := func(name string, want error, f func(domain.Table[domain.Client]) error) {
		_, err := s.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
			return []domain.Change{event(c, "client.try")}, f(tables.Clients)
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	putAt := func(c domain.Client, v int64) func(domain.Table[domain.Client]) error {
		return func(table domain.Table[domain.Client]) error { _, err := table.Put(t.Context(), c, v); return err }
	}
	deleteAt := func(key string, v int64) func(domain.Table[domain.Client]) error {
		return func(table domain.Table[domain.Client]) error { return table.Delete(t.Context(), key, v) }
	}
	try("create again", domain.ErrExists, putAt(c, 0))
	try("put an old version", domain.ErrConflict, putAt(c, 1))
	try("put a future version", domain.ErrConflict, putAt(c, 3))
	try("put what is not there", domain.ErrConflict, putAt(client("rfc", "b"), 1))
	try("delete an old version", domain.ErrConflict, deleteAt(c.Key(), 1))
	try("delete what is not there", domain.ErrConflict, deleteAt("rfc/b", 1))
	try("delete", nil, deleteAt(c.Key(), 2))
	if _, err := s.Read().Clients.Get(t.Context(), c.Key()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("get of a deleted client: %v", err)
	}
	same(t, "number of changes", len(changes(t, s)), 3)
	verified(t, s)
}

func pages(t *testing.T, s Store) {
	_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) (list []domain.Change, err error) {
		for _, issuer := range []string{"a", "aa", "b"} {
			for n := range 5 {
				c := client(issuer, fmt.Sprintf("c%d", n))
				if _, err := tables.Clients.Put(t.Context(), c, 0); err != nil {
					return nil, err
				}
				list = append(list, event(c, "client.create"))
			}
		}
		return list, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		page domain.Page
		want string
	}{
		{"prefix", domain.Page{Prefix: "a/"}, "[a/c0 a/c1 a/c2 a/c3 a/c4]"},
		{"prefix of two issuers", domain.Page{Prefix: "a", Limit: 6}, "[a/c0 a/c1 a/c2 a/c3 a/c4 aa/c0]"},
		{"second page", domain.Page{Prefix: "a/", After: "a/c1", Limit: 2}, "[a/c2 a/c3]"},
		{"last page", domain.Page{Prefix: "a/", After: "a/c4", Limit: 2}, "[]"},
		{"after what is not there", domain.Page{After: "aa/c3x"}, "[aa/c4 b/c0 b/c1 b/c2 b/c3 b/c4]"},
		{"nothing", domain.Page{Prefix: "c"}, "[]"},
	} {
		list, err := s.Read().Clients.List(t.Context(), test.page)
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{}
		for _, c := range list {
			keys = append(keys, c.Key())
			if c.Secrets[0].Hash == "" || c.Version != 1 {
				t.Errorf("%s: %q lacks its hash or version", test.name, c.Key())
			}
		}
		same(t, test.name, fmt.Sprint(keys), test.want)
	}
	all, err := s.Read().Clients.List(t.Context(), domain.Page{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "all", len(all), 15)
}

func readOnly(t *testing.T, s Store) {
	c := client("rfc", "a")
	if _, err := s.Read().Clients.Put(t.Context(), c, 0); err == nil {
		t.Error("a put outside Change passed")
	}
	put(t, s, clients, c, 0)
	if err := s.Read().Clients.Delete(t.Context(), c.Key(), 1); err == nil {
		t.Error("a delete outside Change passed")
	}
	var kept domain.Tables
	if _, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
		kept = tables
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := kept.Clients.Delete(t.Context(), c.Key(), 1); err == nil {
		t.Error("a delete after Change passed")
	}
	if _, err := s.Read().Clients.Get(t.Context(), c.Key()); err != nil {
		t.Error(err)
	}
}
