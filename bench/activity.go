package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/sqlite"
)

// The activity that is looked through: a year's worth of a platform in use, an entry every 3 s.
const (
	activityClients = 2000
	activityTenants = 50
	activityIssuers = 6
	activityEvery   = 3 * time.Second
	activityBatch   = 2560 // entries written at once, so that filling takes minutes
	activityPage    = 500
	activityTries   = 61 // of each search, each beside a lookup
	activityRate    = 10_000
)

// searches is what was found out about one kind of search in one database.
type searches struct {
	Database string  `json:"database"`
	Entries  int     `json:"entries"`
	Search   string  `json:"search"`
	Found    int     `json:"found"` // at the median
	Lookup   float64 `json:"lookup_us"`
	Page     float64 `json:"page_us"`
	Ratio    float64 `json:"ratio"`
	Target   string  `json:"target"`
}

// written is what it is like to be recorded while 10,000 entries a second are written.
type written struct {
	Database string  `json:"database"`
	Entries  int     `json:"entries"`
	Seconds  float64 `json:"seconds"`
	P99      float64 `json:"record_p99_us"`
	Longest  float64 `json:"record_max_us"`
	Queued   int     `json:"queued_max"`
	Waited   int64   `json:"refused"`
}

// activityStore is a store that is filled and searched.
type activityStore interface {
	domain.Activity
	audit.Marks
	Close() error
}

// activity fills each database and searches it.
func (b *bench) activity(ctx context.Context) error {
	if strings.Contains(b.databases, "sqlite") {
		dir := filepath.Join(b.dir, "activity")
		s, err := sqlite.Open(ctx, dir, sqlite.Options{})
		if err != nil {
			return err
		}
		if err := errors.Join(b.lookThrough(ctx, "SQLite", s), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	if strings.Contains(b.databases, "postgres") {
		if err := b.activityShared(ctx); err != nil {
			return err
		}
	}
	return b.result.activityTable(b.out)
}

func (b *bench) activityShared(ctx context.Context) error {
	server, err := startDatabase()
	if err != nil {
		return err
	}
	defer server.stop()
	url, err := server.make(ctx, "activity", true)
	if err != nil {
		return err
	}
	address, err := postgres.ParseAddress(url)
	if err != nil {
		return err
	}
	s, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		return err
	}
	return b.lookThrough(ctx, "PostgreSQL", s)
}

// lookThrough fills a store, searches it, writes to it at a rate, and closes it.
func (b *bench) lookThrough(ctx context.Context, name string, s activityStore) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	began := time.Now()
	ids, err := b.fillActivity(ctx, name, s)
	if err != nil {
		return err
	}
	b.note("%s: %d entries in %s", name, b.entries, time.Since(began).Round(time.Second))
	for _, kind := range activityKinds(ids) {
		if err := b.search(ctx, name, s, kind, ids); err != nil {
			return err
		}
	}
	return b.record(ctx, name, s)
}

// fillActivity writes the entries by the store's own code, and returns every thousandth id.
func (b *bench) fillActivity(ctx context.Context, name string, s activityStore) (ids []domain.EventID, err error) {
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- the same each time
	at := time.Now().Add(-time.Duration(b.entries) * activityEvery)
	batch := make([]domain.Entry, 0, activityBatch)
	for n := range b.entries {
		e := activityEntry(random, at.Add(time.Duration(n)*activityEvery))
		if n%1000 == 0 {
			ids = append(ids, e.ID)
		}
		if batch = append(batch, e); len(batch) < activityBatch && n+1 < b.entries {
			continue
		}
		if err := s.Append(ctx, "bench", batch); err != nil {
			return nil, err
		}
		batch = batch[:0]
		if (n+1)%(activityBatch*400) == 0 {
			b.note("%s: %d entries", name, n+1)
		}
	}
	return ids, nil
}

// activityEntry makes one entry: 95 of 100 are tokens.
func activityEntry(random *rand.Rand, at time.Time) domain.Entry {
	c := random.IntN(activityClients)
	e := domain.Entry{
		ID: domain.NewEventID(at), Action: domain.TokenIssued, Count: 1, Issuer: fmt.Sprint("issuer-", c%activityIssuers), Client: activityClient(c),
		Tenant: activityTenant(c), Source: fmt.Sprintf("10.0.%d.7", random.IntN(50)),
	}
	switch kind := random.IntN(1000); {
	case kind < 950:
		e.SecretID, e.Scope = fmt.Sprint("s-", c), fmt.Sprint("studies:read sites:read part", c%20)
	case kind < 985:
		e.Action, e.Reason, e.Resource = domain.CallRefused, "scope_missing", fmt.Sprint("reports GET /reports/", c%9)
	case kind < 998:
		e.Action, e.Reason = domain.TokenRefused, "scope_invalid"
	default:
		e.Action, e.Actor, e.Details = "study_exported", fmt.Sprint("user:", c%100), `{"rows":1200}`
	}
	return e
}

func activityClient(n int) string { return fmt.Sprintf("0197a2b4-5c6d-7e8f-9a0b-%012d", n) }
func activityTenant(n int) string {
	return fmt.Sprintf("0197a2b4-0000-7000-8000-%012d", n%activityTenants)
}

// activityKind is one way to search; query makes one at random.
type activityKind struct {
	name  string
	query func() domain.Query
}

func activityKinds(ids []domain.EventID) []activityKind {
	anywhere := func() time.Time { return ids[rand.IntN(len(ids))].Time() } // #nosec G404 -- any will do
	return []activityKind{
		{"all", func() domain.Query { return domain.Query{} }},
		{"client", func() domain.Query { return domain.Query{Client: activityClient(rand.IntN(activityClients))} }}, // #nosec G404 -- as above
		{"tenant", func() domain.Query { return domain.Query{Tenant: activityTenant(rand.IntN(activityTenants))} }}, // #nosec G404 -- as above
		{"issuer", func() domain.Query {
			return domain.Query{Issuer: fmt.Sprint("issuer-", rand.IntN(activityIssuers))} // #nosec G404 -- as above
		}},
		{"action, the most frequent", func() domain.Query { return domain.Query{Action: domain.TokenIssued} }},
		{"action, 2 of 1000", func() domain.Query { return domain.Query{Action: "study_exported"} }},
		{"time", func() domain.Query {
			at := anywhere()
			return domain.Query{From: at.Add(-time.Hour), To: at}
		}},
		{"client within reach of 3 tenants", func() domain.Query {
			n := rand.IntN(activityClients) // #nosec G404 -- as above
			reach := domain.Reach{AllIssuers: true, Tenants: []string{activityTenant(n), activityTenant(n + 1), activityTenant(n + 2)}}
			return domain.Query{Client: activityClient(n), Within: &reach}
		}},
	}
}

// search times one kind of search; each is beside a lookup of one entry by its id, the primary
// key, through the same function.
func (b *bench) search(ctx context.Context, name string, s activityStore, kind activityKind, ids []domain.EventID) error {
	var pages, lookups []time.Duration
	var found []int
	for range activityTries {
		q := kind.query()
		q.Limit = activityPage
		began := time.Now()
		page, err := s.Search(ctx, q)
		if err != nil {
			return err
		}
		pages = append(pages, time.Since(began))
		found = append(found, len(page))
		id := ids[rand.IntN(len(ids))] // #nosec G404 -- any will do
		next := id
		next[15]++ // of the same millisecond no other is there
		began = time.Now()
		one, err := s.Search(ctx, domain.Query{Before: next, Limit: 1})
		if err != nil {
			return err
		}
		lookups = append(lookups, time.Since(began))
		if id[15] != 255 && (len(one) != 1 || one[0].ID != id) {
			return fmt.Errorf("%s: %s was not found by its id", name, id)
		}
	}
	slices.Sort(found)
	r := searches{
		Database: name, Entries: b.entries, Search: kind.name, Found: found[len(found)/2],
		Lookup: micros(medianOf(lookups)), Page: micros(medianOf(pages)), Target: "≤ 20",
	}
	r.Ratio = r.Page / r.Lookup
	b.result.Searches = append(b.result.Searches, r)
	return nil
}

func medianOf(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// record writes at a steady rate, and tells how long whoever records had to wait.
func (b *bench) record(ctx context.Context, name string, s activityStore) error {
	w, err := audit.Start(ctx, audit.Options{
		Node: "bench-rate", Activity: s, Marks: s, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Wait: time.Second,
	})
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(3, 4)) // #nosec G404 -- the same each time
	var waits []time.Duration
	r := written{Database: name}
	began := time.Now()
	const step = 10 * time.Millisecond
	for n := range int(b.busy / step) {
		for range activityRate / int(time.Second/step) {
			e := activityEntry(random, time.Now())
			at := time.Now()
			err = errors.Join(err, w.Record(ctx, e))
			waits = append(waits, time.Since(at))
		}
		r.Queued = max(r.Queued, w.Stats().Queued)
		time.Sleep(time.Until(began.Add(time.Duration(n+1) * step)))
	}
	r.Seconds, r.Entries = time.Since(began).Seconds(), len(waits)
	err = errors.Join(err, w.Close(ctx))
	r.Waited = w.Stats().Full
	slices.Sort(waits)
	r.P99, r.Longest = micros(waits[len(waits)*99/100]), micros(waits[len(waits)-1])
	b.result.Written = append(b.result.Written, r)
	return err
}

// activityTable prints both.
func (r *result) activityTable(w io.Writer) error {
	var rows [][]string
	for _, s := range r.Searches {
		rows = append(rows, []string{
			s.Database, s.Search, fmt.Sprint(s.Entries), fmt.Sprint(s.Found), fmt.Sprintf("%.0f", s.Lookup), fmt.Sprintf("%.0f", s.Page),
			fmt.Sprintf("**%.1f**", s.Ratio), s.Target,
		})
	}
	head := []string{"", "search", "entries", "found", "lookup µs", "page µs", "ratio", "target"}
	if err := table(w, fmt.Sprintf("A page of %d of the activity against a lookup by primary key, medians of %d", activityPage, activityTries), head, rows); err != nil {
		return err
	}
	rows = nil
	for _, w := range r.Written {
		rows = append(rows, []string{
			w.Database, fmt.Sprint(w.Entries), fmt.Sprintf("%.1f", w.Seconds), fmt.Sprintf("%.1f", w.P99), fmt.Sprintf("%.0f", w.Longest), fmt.Sprint(w.Queued), fmt.Sprint(w.Waited),
		})
	}
	head = []string{"", "entries", "seconds", "p99 µs", "longest µs", fmt.Sprintf("queued at most, of %d", audit.QueueEntries), "refused"}
	return table(w, fmt.Sprintf("How long a request waits to be recorded, at %d entries a second", activityRate), head, rows)
}
