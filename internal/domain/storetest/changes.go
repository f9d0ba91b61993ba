package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

func events(t *testing.T, s Store) {
	a, b := client("rfc", "a"), client("rfc", "b")
	for _, test := range []struct {
		name string
		list []domain.Change
	}{
		{"none", nil},
		{"of another object", []domain.Change{event(b, "client.create")}},
		{"of another kind", []domain.Change{{Kind: domain.KindTombstone, Key: a.Key(), Action: "client.create"}}},
		{"one too many", []domain.Change{event(a, "client.create"), event(b, "client.create")}},
		{"twice", []domain.Change{event(a, "client.create"), event(a, "client.create")}},
		{"without action", []domain.Change{event(a, "")}},
	} {
		_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
			_, err := tables.Clients.Put(t.Context(), a, 0)
			return test.list, err
		})
		if !errors.Is(err, domain.ErrNoEvent) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := s.Read().Clients.Get(t.Context(), a.Key()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a change without its event was kept: %v", err)
	}
	same(t, "changes", len(changes(t, s)), 0)
	seq, err := s.Change(t.Context(), domain.System, func(domain.Tables) ([]domain.Change, error) { return nil, nil })
	if seq != 0 || err != nil {
		t.Errorf("a change of nothing: %d, %v", seq, err)
	}
	if _, err := s.Change(t.Context(), "", func(domain.Tables) ([]domain.Change, error) { return nil, nil }); err == nil {
		t.Error("a change without an actor passed")
	}
}

func steps(t *testing.T, s Store) {
	c, ctx := client("rfc", "a"), t.Context()
	put(t, s, clients, c, 0)
	again := func(reported ...string) []domain.Change {
		t.Helper()
		before, err := s.Read().Clients.Get(ctx, c.Key())
		if err != nil {
			t.Fatal(err)
		}
		seq, err := s.Change(ctx, domain.System, func(tables domain.Tables) (list []domain.Change, _ error) {
			for _, action := range reported {
				list = append(list, event(c, action))
			}
			if err := tables.Clients.Delete(ctx, c.Key(), before.Version); err != nil {
				return nil, err
			}
			c.Name += "+"
			if _, err := tables.Clients.Put(ctx, c, 0); err != nil {
				return nil, err
			}
			c.Name += "+"
			got, err := tables.Clients.Get(ctx, c.Key())
			if err != nil || got.Version != 1 {
				return nil, fmt.Errorf("own put not seen: version %d, %w", got.Version, err)
			}
			_, err = tables.Clients.Put(ctx, c, 1)
			return list, err
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Follow(ctx, seq-domain.Seq(len(reported)), 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	one := again("client.recreate")
	same(t, "one change tells the outcome", fmt.Sprint(len(one), one[0].Version), "1 2")
	each := again("client.delete", "client.create", "client.update")
	got := ""
	for _, c := range each {
		got += fmt.Sprint(c.Action, " ", c.Version, " ", c.Object != nil, "; ")
	}
	same(t, "a change for each step", got, "client.delete 0 false; client.create 1 true; client.update 2 true; ")
	verified(t, s)
}

func rollback(t *testing.T, s Store) {
	c, broken := client("rfc", "a"), errors.New("broken")
	_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
		if _, err := tables.Clients.Put(t.Context(), c, 0); err != nil {
			return nil, err
		}
		return []domain.Change{event(c, "client.create")}, broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("the error of f: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of f is gone")
			}
		}()
		_, _ = s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) { //nolint:errcheck // it panics
			_, _ = tables.Clients.Put(t.Context(), c, 0) //nolint:errcheck // as above
			panic("broken")
		})
	}()
	if _, err := s.Read().Clients.Get(t.Context(), c.Key()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("half a change was kept: %v", err)
	}
	same(t, "version after that", put(t, s, clients, c, 0), int64(1))
	same(t, "changes", len(changes(t, s)), 1)
	verified(t, s)
}

func concurrent(t *testing.T, s Store) {
	const writers, each = 8, 10
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				c := client("rfc", fmt.Sprintf("%d-%d", w, n))
				_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
					_, err := tables.Clients.Put(t.Context(), c, 0)
					return []domain.Change{event(c, "client.create")}, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	list := changes(t, s)
	same(t, "changes", len(list), writers*each)
	for i, c := range list {
		if c.Seq != domain.Seq(i+1) {
			t.Fatalf("change %d has the number %d", i+1, c.Seq)
		}
	}
	verified(t, s)
}

func follow(t *testing.T, s Store) {
	empty, err := s.Head(t.Context())
	if err != nil || empty.Seq != 0 || empty.Incarnation == "" || empty.Hash != nil || empty.Now.IsZero() {
		t.Fatalf("empty head %+v, %v", empty, err)
	}
	for n := range 5 {
		put(t, s, clients, client("rfc", fmt.Sprint(n)), 0)
	}
	list, err := s.Follow(t.Context(), 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Seq != 3 || list[1].Key != "rfc/3" || list[1].Actor != domain.System || list[1].Time.IsZero() {
		t.Errorf("changes after 2: %+v", list)
	}
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := changes(t, s)
	same(t, "head", fmt.Sprintf("%d %x", head.Seq, head.Hash), fmt.Sprintf("5 %x", all[4].Hash))
	same(t, "incarnation", head.Incarnation, empty.Incarnation)
	list, err = s.Follow(t.Context(), 5, 10)
	if err != nil || len(list) != 0 {
		t.Errorf("after the head: %v, %v", list, err)
	}
}

// D-37: what a change tells holds no hash and no private key.
func secrets(t *testing.T, s Store) {
	put(t, s, clients, client("rfc", "a"), 0)
	put(t, s, func(t domain.Tables) domain.Table[domain.Key] { return t.Keys }, key("rfc", "k"), 0)
	vault := domain.VaultKey{ID: "v", Purpose: domain.VaultPepper, Sealed: []byte(Canary)}
	put(t, s, func(t domain.Tables) domain.Table[domain.VaultKey] { return t.Vault }, vault, 0)
	for _, c := range changes(t, s) {
		if len(c.Object) == 0 || holdsCanary(c.Object) {
			t.Errorf("change %d: %s", c.Seq, c.Object)
		}
	}
}

func meta(t *testing.T, s Store) {
	if _, err := s.Meta(t.Context(), "kind"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("meta that was never set: %v", err)
	}
	for _, want := range []string{"dev", "other"} {
		if err := s.SetMeta(t.Context(), "kind", want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Meta(t.Context(), "kind")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "meta", got, want)
	}
}
