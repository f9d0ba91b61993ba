package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// lastUses come with the batch, to five minutes.
func lastUses(t *testing.T, s Store) {
	ctx := t.Context()
	use := func(secret string, after time.Duration) {
		t.Helper()
		e := domain.Entry{ID: domain.NewEventID(begin().Add(after)), Action: domain.TokenIssued, Issuer: "rfc", Client: "a", SecretID: secret, Count: 1}
		if err := s.Append(ctx, "n", []domain.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, uses map[string]time.Duration) {
		t.Helper()
		got, err := s.LastUses(ctx, "rfc", "a")
		if err != nil {
			t.Fatal(err)
		}
		times := map[string]time.Time{}
		for secret, after := range uses {
			times[secret] = begin().Add(after)
		}
		same(t, what, got, times)
	}
	want("of none", nil)
	use("s1", 0)
	use("s2", time.Minute)
	use("s1", 2*time.Minute)
	want("within five minutes", map[string]time.Duration{"s1": 0, "s2": time.Minute})
	use("s1", 6*time.Minute)
	use("s1", 3*time.Minute) // of another node, or late
	want("later", map[string]time.Duration{"s1": 6 * time.Minute, "s2": time.Minute})
	many := Entries(begin().Add(time.Hour), 300) // more than one statement writes
	appendAll(t, s, "n", many)
	appendAll(t, s, "m", Entries(begin().Add(time.Hour), 300))
	for _, e := range many[:50] {
		got, err := s.LastUses(ctx, e.Issuer, e.Client)
		if err != nil || len(got) != 1 || !got[e.SecretID].Equal(e.ID.Time()) {
			t.Errorf("%s: %v, %v", e.Client, got, err)
		}
	}
	if got, err := s.LastUses(ctx, "rfc\x00", "a"); err != nil || len(got) != 0 {
		t.Errorf("an odd name: %v, %v", got, err)
	}
}

// D-106: what retention drops is told in a chain, the hashes stay, and all verifies; a batch
// that begins before the time and ends after it stays.
func retain(t *testing.T, s Store) {
	list := Entries(begin(), 1000)
	for i := range list {
		list[i].Source = fmt.Sprint("10.1.1.", i) // texts that go with their entries
	}
	for i := 0; i < len(list); i += 100 {
		if err := s.Append(t.Context(), "n", list[i:i+100]); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Retain(t.Context(), list[750].ID.Time())
	if err != nil || n != 700 {
		t.Fatalf("%d dropped, %v", n, err)
	}
	got := search(t, s, domain.Query{Limit: 2000, Issuer: "rfc"})
	slices.Reverse(got)
	same(t, "what stays", got, list[700:])
	told := search(t, s, domain.Query{Action: domain.ActivityDropped})
	var d audit.Dropped
	var sum int64
	var spans []audit.Span
	for _, e := range told {
		if err := json.Unmarshal([]byte(e.Details), &d); err != nil || e.Actor != string(domain.System) || !d.Before.Equal(list[750].ID.Time()) {
			t.Errorf("%+v: %v", e, err)
		}
		sum += d.Entries
		spans = append(spans, d.Batches...)
	}
	same(t, "what the chain tells", sum, int64(700))
	same(t, "which batches", spans, []audit.Span{{Node: "n", From: 1, To: 7}})
	verified(t, s)
	report, err := audit.Verify(t.Context(), s, s, s)
	if err != nil || report.Err() != nil || report.DroppedBatches != 7 || report.DroppedEntries != 700 || !report.DroppedUntil.Equal(list[699].ID.Time()) {
		t.Errorf("%+v, %v", report, err)
	}
	if n, err := s.Retain(t.Context(), list[750].ID.Time()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	appendAll(t, s, "n", Entries(begin().Add(time.Hour), 300)) // with texts that were swept
	if n, err := s.Retain(t.Context(), begin().Add(time.Hour)); n != 300 || err != nil {
		t.Errorf("later: %d, %v", n, err)
	}
	verified(t, s)
}

// D-106: what an older version dropped it did not name. It verifies, and is named before anything
// else is dropped; and what retention told stays, however old it is.
func retainUnnamed(t *testing.T, s Store) {
	list := Entries(begin(), 300)
	for i := 0; i < len(list); i += 100 {
		appendAll(t, s, "n", list[i:i+100])
	}
	drop := func(to int, dropped int64) {
		t.Helper()
		if n, err := s.Retain(t.Context(), list[to].ID.Time()); err != nil || n != dropped {
			t.Fatalf("%d dropped, %v", n, err)
		}
		verified(t, s)
	}
	drop(150, 100)
	details, err := json.Marshal(audit.Dropped{Before: list[150].ID.Time()})
	if err != nil {
		t.Fatal(err)
	}
	old := domain.Entry{ID: domain.NewEventID(begin().Add(-time.Hour)), Action: domain.ActivityDropped, Actor: string(domain.System), Details: string(details)}
	appendAll(t, s, domain.RetentionNode, []domain.Entry{old})
	verified(t, s)
	drop(250, 100)
	var told []audit.Dropped
	err = s.EachBatch(t.Context(), func(b audit.Batch, rows []domain.Entry) error {
		for i := range rows {
			var d audit.Dropped
			if b.Node == domain.RetentionNode {
				told = append(told, d)
				return json.Unmarshal([]byte(rows[i].Details), &told[len(told)-1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) time.Time { return list[i].ID.Time() }
	same(t, "what the chain tells", told, []audit.Dropped{
		{Before: at(150), Entries: 100, Batches: []audit.Span{{Node: "n", From: 1, To: 1}}},
		{Before: at(150)},
		{Before: at(100), Entries: 100, Batches: []audit.Span{{Node: "n", From: 1, To: 1}}, All: true},
		{Before: at(250), Entries: 100, Batches: []audit.Span{{Node: "n", From: 2, To: 2}}},
	})
}

// Whoever writes while texts are swept uses none that is gone.
func sweep(t *testing.T, s Store) {
	var group sync.WaitGroup
	for node := range 3 {
		group.Go(func() {
			for n := range 20 {
				list := Entries(begin().Add(time.Duration(n)*time.Minute), 20)
				for i := range list { // texts of the batch before come again
					list[i].Scope = fmt.Sprint("scope ", node, " ", (n+i)/2)
				}
				if err := s.Append(t.Context(), fmt.Sprint("node-", node), list); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 20 {
		if _, err := s.Retain(t.Context(), begin().Add(time.Duration(n)*time.Minute)); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	verified(t, s)
}
