package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/sqlite"
)

// size is that of the database's pages in bytes.
func size(t testing.TB, raw *sql.DB) (n int64) {
	t.Helper()
	const pages = `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`
	if err := raw.QueryRowContext(t.Context(), pages).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// beside opens the file of a store once more, as somebody who tampers would.
func beside(t testing.TB, dir string) *sql.DB {
	t.Helper()
	raw, err := sql.Open("sqlite", filepath.Join(dir, sqlite.File)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

// The number: at most 100 bytes per token, all in (1,000 clients, 50
// sources, 20 scopes; indexes, texts, batches and their hashes).
func TestBytesPerToken(t *testing.T) {
	entries := 200_000
	if testing.Short() {
		entries = 40_000
	}
	dir := t.TempDir()
	db, raw := open(t, dir), beside(t, dir)
	before := size(t, raw)
	list := storetest.Entries(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), entries)
	for batch := range slices.Chunk(list, audit.BatchEntries) {
		if err := db.Append(t.Context(), "node-1", batch); err != nil {
			t.Fatal(err)
		}
	}
	per := float64(size(t, raw)-before) / float64(entries)
	t.Logf("%.1f bytes per token", per)
	if per > 100 {
		t.Errorf("%.1f bytes per token, at most 100 are allowed", per)
	}
}

func BenchmarkAppend(b *testing.B) {
	db := open(b, b.TempDir())
	list := storetest.Entries(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for batch := range slices.Chunk(list, audit.BatchEntries) {
		if err := db.Append(context.Background(), "node-1", batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendManyClients has each of 100,000 clients in turn: more texts
// than are remembered.
func BenchmarkAppendManyClients(b *testing.B) {
	const clients = 100_000
	db := open(b, b.TempDir())
	list := storetest.Entries(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), clients+b.N)
	for i := range list {
		n := i * 7919 % clients
		list[i].Client, list[i].SecretID = fmt.Sprintf("0197a2b4-5c6d-7e8f-9a0b-%012d", n), fmt.Sprintf("s-%07d", n)
	}
	write := func(list []domain.Entry) {
		for batch := range slices.Chunk(list, audit.BatchEntries) {
			if err := db.Append(context.Background(), "node-1", batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	write(list[:clients])
	b.ReportAllocs()
	b.ResetTimer()
	write(list[clients:])
}

// BenchmarkSearchClient looks for the last entries of a client that has none
// among 100,000: the worst case, a scan.
func BenchmarkSearchClient(b *testing.B) {
	db := open(b, b.TempDir())
	list := storetest.Entries(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), 100_000)
	list[0].Client = "seldom"
	for batch := range slices.Chunk(list, audit.BatchEntries) {
		if err := db.Append(b.Context(), "node-1", batch); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if got, err := db.Search(b.Context(), domain.Query{Client: "seldom"}); err != nil || len(got) != 1 {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db := open(b, b.TempDir())
	fill(b, db, 2000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if _, err := db.Read().Clients.Get(b.Context(), fmt.Sprintf("rfc/c%06d", n*7919%2000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHead(b *testing.B) {
	db := open(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.Head(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChange(b *testing.B) {
	db := open(b, b.TempDir())
	n := 0
	for b.Loop() {
		n++
		c := domain.Client{Issuer: "rfc", ID: strconv.Itoa(n)}
		_, err := db.Change(b.Context(), domain.System, func(t domain.Tables) ([]domain.Change, error) {
			_, err := t.Clients.Put(b.Context(), c, 0)
			return []domain.Change{{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"}}, err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens and closes a database that is there.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	db, err := sqlite.Open(b.Context(), dir, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, db, 2000)
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := sqlite.Open(b.Context(), dir, sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkMemory reports by how much an open store in use makes the process
// grow.
func BenchmarkMemory(b *testing.B) {
	before := resident(b)
	db := open(b, b.TempDir())
	fill(b, db, 1000)
	if _, err := db.Search(b.Context(), domain.Query{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := db.Read().Clients.Get(b.Context(), "rfc/c000001"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(resident(b)-before)/1024, "MB")
}

// resident is the memory of this process in KiB.
func resident(b *testing.B) int {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, after, _ := strings.Cut(string(data), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// fill makes n clients, 100 in a change.
func fill(t testing.TB, db *sqlite.DB, n int) {
	t.Helper()
	for start := 0; start < n; start += 100 {
		_, err := db.Change(t.Context(), domain.System, func(tables domain.Tables) (list []domain.Change, err error) {
			for i := start; i < min(start+100, n) && err == nil; i++ {
				c := domain.Client{
					Issuer: "rfc", ID: fmt.Sprintf("c%06d", i), Name: "Billing", Tenant: "0197a2b4-5c6d-7e8f-9a0b-000000000001",
					Status: domain.Enabled, Audiences: []string{"https://api.example"}, Tier: domain.DefaultTier,
					Secrets: []domain.Secret{{ID: "s1", LastFour: "abcd", Hash: "$postern$p1$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"}},
				}
				_, err = tables.Clients.Put(t.Context(), c, 0)
				list = append(list, domain.Change{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"})
			}
			return list, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
