package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// begin is when the suite's activity begins.
func begin() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// Entries makes n realistic entries, one a millisecond from the time given.
func Entries(from time.Time, n int) []domain.Entry {
	list := make([]domain.Entry, n)
	for i := range list {
		list[i] = domain.Entry{
			ID: domain.NewEventID(from.Add(time.Duration(i) * time.Millisecond)), Action: domain.TokenIssued, Issuer: "rfc", Count: 1,
			Client:   fmt.Sprintf("0197a2b4-5c6d-7e8f-9a0b-%012d", (i*7919)%1000),
			SecretID: fmt.Sprintf("s-%07d", (i*7919)%1000),
			Scope:    fmt.Sprintf("studies:read sites:read part%d", i%20), Source: fmt.Sprintf("10.0.%d.7", i%50),
		}
	}
	return list
}

func appendAll(t *testing.T, s Store, node string, list []domain.Entry) {
	t.Helper()
	for batch := range slices.Chunk(list, audit.BatchEntries) {
		if err := s.Append(t.Context(), node, batch); err != nil {
			t.Fatal(err)
		}
	}
}

func search(t *testing.T, s Store, q domain.Query) []domain.Entry {
	t.Helper()
	list, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func activityRoundTrip(t *testing.T, s Store) {
	want := Entries(begin(), 300)
	want[7].Correlation, want[8].Count = "the caller's 'own' \"id\"", 4_000_000_000
	want[9] = domain.Entry{ID: want[9].ID, Action: domain.TokenRefused, Source: "2001:db8::/64", Reason: "credentials_wrong", Count: 17}
	want[10] = domain.Entry{ID: want[10].ID, Action: domain.ActivityGap, Count: 1}
	want[11].Action, want[11].Reason, want[11].Resource = domain.CallRefused, "scope_missing", "reports GET /reports/{id}"
	want[70].Action, want[70].Resource = domain.CallRefused, want[70].Client // a text that is known as something else
	appendAll(t, s, "node-1", want)
	got := search(t, s, domain.Query{Limit: 1000})
	slices.Reverse(got)
	same(t, "activity", got, want)
	if err := s.Append(t.Context(), "node-1", nil); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
	if err := s.Append(t.Context(), "", want[:1]); err == nil {
		t.Error("a batch without a node passed")
	}
	verified(t, s)
}

func activitySearch(t *testing.T, s Store) {
	list := Entries(begin(), 100)
	for i := range list {
		switch {
		case i%10 == 0:
			list[i].Action, list[i].Reason = domain.TokenRefused, "scope_invalid"
		case i%10 == 1:
			list[i].Issuer = "other"
		}
	}
	one := list[42].Client
	appendAll(t, s, "n", list)
	at := func(ms int) time.Time { return begin().Add(time.Duration(ms) * time.Millisecond) }
	for _, test := range []struct {
		name        string
		q           domain.Query
		n           int
		first, last int // indexes, newest first
	}{
		{"fifty by default", domain.Query{}, 50, 99, 50},
		{"action", domain.Query{Action: domain.TokenRefused}, 10, 90, 0},
		{"issuer", domain.Query{Issuer: "other"}, 10, 91, 1},
		{"client", domain.Query{Client: one}, 1, 42, 42},
		{"client of another issuer", domain.Query{Client: one, Issuer: "other"}, 0, 0, 0},
		{"client nobody knows", domain.Query{Client: "none"}, 0, 0, 0},
		{"times are half-open", domain.Query{From: at(10), To: at(20)}, 10, 19, 10},
		{"times between milliseconds", domain.Query{From: at(10).Add(1), To: at(20).Add(1)}, 10, 20, 11},
		{"before", domain.Query{Before: list[5].ID}, 5, 4, 0},
		{"all at once", domain.Query{Action: domain.TokenRefused, Issuer: "rfc", From: at(15), To: at(65), Limit: 3}, 3, 60, 40},
	} {
		got := search(t, s, test.q)
		if len(got) != test.n {
			t.Errorf("%s: %d entries, want %d", test.name, len(got), test.n)
		} else if test.n > 0 && (got[0].ID != list[test.first].ID || got[test.n-1].ID != list[test.last].ID) {
			t.Errorf("%s: from %v to %v", test.name, got[0], got[test.n-1])
		}
	}
}

func activityCursor(t *testing.T, s Store) {
	list := Entries(begin(), 100)
	shuffled := slices.Clone(list)
	slices.Reverse(shuffled[20:80]) // requests end in another order than they began
	appendAll(t, s, "n", shuffled)
	var got []domain.Entry
	q := domain.Query{Limit: 7}
	for {
		page := search(t, s, q)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		q.Before = page[len(page)-1].ID
	}
	slices.Reverse(got)
	same(t, "all pages", got, list)
	verified(t, s)
}

func activityChains(t *testing.T, s Store) {
	list := Entries(begin(), 1000)
	for i := 0; i < len(list); i += 10 { // batches of two nodes whose times overlap
		if err := s.Append(t.Context(), fmt.Sprint("node-", i/10%2), list[i:i+10]); err != nil {
			t.Fatal(err)
		}
	}
	next := map[string]int64{}
	err := s.EachBatch(t.Context(), func(b audit.Batch, rows []domain.Entry) error {
		next[b.Node]++
		if b.N != next[b.Node] || len(rows) != 10 || b.First != rows[0].ID || b.Last != rows[9].ID {
			t.Errorf("batch %+v with %d rows", b, len(rows))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "batches", next, map[string]int64{"node-0": 50, "node-1": 50})
	n, err := audit.VerifyBatches(t.Context(), s)
	if err != nil || n != 1000 {
		t.Errorf("%d entries verified, %v", n, err)
	}
}

func activityTwice(t *testing.T, s Store) {
	list := Entries(begin(), 20)
	appendAll(t, s, "n", list[:10])
	if err := s.Append(t.Context(), "n", list[9:]); !errors.Is(err, domain.ErrExists) {
		t.Errorf("an id that is there already: %v", err)
	}
	same(t, "entries", len(search(t, s, domain.Query{})), 10)
	appendAll(t, s, "n", list[10:])
	verified(t, s)
}
