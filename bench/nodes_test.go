package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

// The figures by polls alone are worth something only if nobody is told of changes.
// That a database tells otherwise shows that the test would see it.
func TestDeafDatabase(t *testing.T) {
	for name, notify := range map[string]bool{"told": true, "untold": false} {
		t.Run(name, func(t *testing.T) {
			d := &database{url: pgtest.Start(t).Database(t)}
			made := "bench_" + strings.ToLower(rand.Text())
			t.Cleanup(func() { pgtest.Exec(t, d.url, "DROP DATABASE IF EXISTS "+made+" WITH (FORCE)") })
			url, err := d.make(t.Context(), made, notify)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // the database goes with the test
			// One's own notification comes with the answer of the statement that commits it.
			if _, err := conn.Exec(t.Context(), `LISTEN postern_feed`); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), `SELECT pg_notify('postern_feed', $1)`, "1"); err != nil { // as a node does
				t.Fatal(err)
			}
			at, cancel := context.WithDeadline(t.Context(), time.Now()) // only what has come
			defer cancel()
			_, err = conn.WaitForNotification(at)
			if told := err == nil; told != notify || !told && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("told: %v, %v; want %v", told, err, notify)
			}
		})
	}
}
