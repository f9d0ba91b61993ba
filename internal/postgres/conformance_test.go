package postgres_test

import (
	"os"
	"testing"

	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestConformance(t *testing.T) {
	server := pgtest.Start(t)
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, server.Database(t)) })
}

func open(t testing.TB, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), address(t, url), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func address(t testing.TB, url string) postgres.Address {
	t.Helper()
	a, err := postgres.ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
