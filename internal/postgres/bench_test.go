package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

func BenchmarkChange(b *testing.B) {
	db := open(b, pgtest.Start(b).Database(b))
	n := 0
	for b.Loop() {
		n++
		if _, err := create(b.Context(), db, nil, fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHead is what each node asks every 100 ms.
func BenchmarkHead(b *testing.B) {
	db := open(b, pgtest.Start(b).Database(b))
	for b.Loop() {
		if _, err := db.Head(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db := open(b, pgtest.Start(b).Database(b))
	if _, err := create(b.Context(), db, nil, "a"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := db.Read().Clients.Get(b.Context(), "rfc/a"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend is an entry of activity in full batches.
func BenchmarkAppend(b *testing.B) {
	db := open(b, pgtest.Start(b).Database(b))
	list := storetest.Entries(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), b.N)
	b.ResetTimer()
	for batch := range slices.Chunk(list, audit.BatchEntries) {
		if err := db.Append(b.Context(), "node-1", batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFollow is from a commit on one node until another one hears of it.
func BenchmarkFollow(b *testing.B) {
	url := pgtest.Start(b).Database(b)
	here, there := open(b, url), open(b, url)
	n := domain.Seq(0)
	for b.Loop() {
		n++
		next := there.Notify()
		if _, err := create(b.Context(), here, nil, fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
		<-next
		if head, err := there.Head(b.Context()); err != nil || head.Seq != n {
			b.Fatal(head, err)
		}
	}
}
