package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// records come back until they expire, and are taken once.
func records(t *testing.T, s Store) {
	ctx, now := t.Context(), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	if _, err := s.Record(ctx, "session", "a", now); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a record that is not there: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddRecord(ctx, "session", "a", []byte("one\x00\xff"), now, later))
	if err := s.AddRecord(ctx, "session", "a", []byte("two"), now, later); !errors.Is(err, domain.ErrExists) {
		t.Errorf("a second one: %v", err)
	}
	must(s.AddRecord(ctx, "other", "a", []byte("of another space"), now, later))
	value, err := s.Record(ctx, "session", "a", later.Add(-time.Microsecond))
	must(err)
	same(t, "the record", string(value), "one\x00\xff")
	if _, err := s.Record(ctx, "session", "a", later); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an expired record: %v", err)
	}
	must(s.AddRecord(ctx, "session", "a", []byte("three"), later, later.Add(time.Hour))) // in place of the expired one
	must(s.SetRecord(ctx, "session", "a", []byte("four"), later.Add(time.Hour)))
	value, err = s.TakeRecord(ctx, "session", "a", later)
	must(err)
	same(t, "what was taken", string(value), "four")
	if _, err := s.TakeRecord(ctx, "session", "a", later); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("taken twice: %v", err)
	}
	must(s.SetRecord(ctx, "session", "b", []byte{}, later))
	must(s.DropRecord(ctx, "session", "b"))
	must(s.DropRecord(ctx, "session", "b"))
	n, err := s.SweepRecords(ctx, later)
	must(err)
	if n != 1 {
		t.Errorf("%d records swept, want the one of the other space", n)
	}
}

// receipts are there if and only if something was changed, and belong to one request.
func receipts(t *testing.T, s Store) {
	now := time.Now()
	later := now.Add(time.Hour)
	r := domain.Receipt{Space: "idempotency", Key: "a", Before: []byte("begun 1"), Value: []byte("changed 1"), Expires: later}
	ctx := domain.WithReceipt(t.Context(), r)
	failed := errors.New("failed")
	create := func(id string, fails error) error {
		_, err := s.Change(ctx, domain.System, func(tables domain.Tables) ([]domain.Change, error) {
			c := client("rfc", id)
			_, err := tables.Clients.Put(ctx, c, 0)
			return []domain.Change{event(c, "client.create")}, errors.Join(err, fails)
		})
		return err
	}
	holds := func(what, want string) {
		t.Helper()
		value, err := s.Record(t.Context(), r.Space, r.Key, now)
		if err != nil || string(value) != want {
			t.Errorf("%s: %q, %v; want %q", what, value, err, want)
		}
	}
	if err := s.AddRecord(ctx, r.Space, r.Key, r.Before, now, later); err != nil {
		t.Fatal(err)
	}
	if err := create("a", failed); !errors.Is(err, failed) {
		t.Errorf("a change that fails: %v", err)
	}
	holds("after a change that failed", "begun 1")
	if _, err := s.Change(ctx, domain.System, func(domain.Tables) ([]domain.Change, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
	holds("after no change", "begun 1")
	for _, id := range []string{"b", "c"} {
		if err := create(id, nil); err != nil {
			t.Errorf("a change: %v", err)
		}
		holds("after a change", "changed 1")
	}
	if err := s.SetRecord(ctx, r.Space, r.Key, []byte("begun 2"), later); err != nil {
		t.Fatal(err)
	}
	if err := create("d", nil); !errors.Is(err, domain.ErrTaken) {
		t.Errorf("a change where another request has the record: %v", err)
	}
	if err := s.PutReceipt(ctx, r); !errors.Is(err, domain.ErrTaken) {
		t.Errorf("another's record: %v", err)
	}
	holds("another's", "begun 2")
	if list, err := s.Read().Clients.List(t.Context(), domain.Page{}); err != nil || len(list) != 2 {
		t.Errorf("%d clients, want 2, %v", len(list), err)
	}
	if err := s.DropRecord(ctx, r.Space, r.Key); err != nil {
		t.Fatal(err)
	}
	if err := create("e", nil); err != nil { // it took so long that its record was swept
		t.Errorf("a change without a record: %v", err)
	}
	holds("after it", "changed 1")
	if err := s.PutReceipt(ctx, domain.Receipt{Space: r.Space, Key: r.Key, Before: r.Value, Value: []byte("the answer"), Expires: later}); err != nil {
		t.Error(err)
	}
	holds("in the end", "the answer")
}

// takenOnce: of many callers at once one gets a record.
func takenOnce(t *testing.T, s Store) {
	now := time.Now()
	for round := range 10 {
		key := fmt.Sprint(round)
		if err := s.SetRecord(t.Context(), "link", key, []byte("x"), now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var got atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := s.TakeRecord(t.Context(), "link", key, now); err == nil {
					got.Add(1)
				} else if !errors.Is(err, domain.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := got.Load(); n != 1 {
			t.Errorf("%d callers took one record", n)
		}
	}
}

// people and their keys come back, with what is kept apart.
func people(t *testing.T, s Store) {
	at := time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	person := domain.Person{
		ID: "p1", Name: "ann@example.com", Role: domain.IntegrationManager, Reach: domain.Reach{Tenants: []string{"t1"}, AllIssuers: true},
		Status: domain.Enabled, Epoch: 2, Created: at, Changed: &at, Password: "$argon2id$" + Canary,
	}
	key := domain.APIKey{ID: "k1", Label: "CI", Audience: domain.AdminAudience, Role: domain.Auditor, LastFour: "abcd", Created: at, Hash: "$postern$p1$" + Canary}
	named := domain.NamedResource{ResourceKind: "study", ID: "7", Label: "Asthma, phase 2", Tenant: "t1"}
	person.Version = put(t, s, func(t domain.Tables) domain.Table[domain.Person] { return t.People }, person, 0)
	key.Version = put(t, s, func(t domain.Tables) domain.Table[domain.APIKey] { return t.APIKeys }, key, 0)
	named.Version = put(t, s, func(t domain.Tables) domain.Table[domain.NamedResource] { return t.Directory }, named, 0)
	gotPerson, err := s.Read().People.Get(t.Context(), "p1")
	same(t, "the person", gotPerson, person)
	gotKey, errK := s.Read().APIKeys.Get(t.Context(), "k1")
	same(t, "the API key", gotKey, key)
	gotNamed, errN := s.Read().Directory.Get(t.Context(), "study/7")
	same(t, "the resource", gotNamed, named)
	if err := errors.Join(err, errK, errN); err != nil {
		t.Error(err)
	}
	for _, c := range changes(t, s) {
		if holdsCanary(c.Object) {
			t.Errorf("change %d holds a secret: %s", c.Seq, c.Object)
		}
	}
}
