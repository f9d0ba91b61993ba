package authserver_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/authserver"
	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// BenchmarkToken is the whole token line without HTTP itself: activity into a real
// SQLite, the log into a buffer.
func BenchmarkToken(b *testing.B) {
	for _, alg := range []string{"ES256", "EdDSA", "HS256"} {
		b.Run(alg, func(b *testing.B) { benchmarkToken(b, alg) })
	}
}

func benchmarkToken(b *testing.B, alg string) {
	s, bodies := benchServer(b, alg, 100)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, tokenRequest(bodies[0]))
	if w.Code != http.StatusOK {
		b.Fatal(w.Code, w.Body)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.ServeHTTP(&discard{h: make(http.Header, 8)}, tokenRequest(bodies[i%len(bodies)]))
		i++
	}
}

// discard is an answer that nobody reads.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func tokenRequest(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080/api/oauth/token", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "127.0.0.1:4711"
	return r
}

func benchServer(b *testing.B, alg string, clients int) (*authserver.Server, [][]byte) {
	b.Helper()
	ctx := context.Background()
	dir := b.TempDir()
	db, err := sqlite.Open(ctx, dir, sqlite.Options{})
	check(b, err)
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	check(b, err)
	now := time.Now
	vault, err := keys.OpenVault(ctx, db, master, now())
	check(b, err)
	bodies := fill(b, db, vault, alg, clients)
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	snap, err := snapshot.Open(ctx, snapshot.Config{
		Store: db, Vault: vault, Dialects: dialect.Builtin(), Clients: 10_000, MaxStaleness: time.Hour, Local: now, Log: log,
	})
	check(b, err)
	w, err := audit.Start(ctx, audit.Options{Node: "n", Mode: audit.Group, Activity: db, Marks: db, Log: log, Now: now})
	check(b, err)
	b.Cleanup(func() {
		check(b, w.Close(ctx))
		check(b, db.Close())
	})
	auth := clientauth.New(clientauth.Config{
		Clients: snap, Peppers: vault.Peppers, Gate: secret.NewGate(), Guesses: ratelimit.NewGuesses(now), Failures: ratelimit.NewFailures(now), Now: now,
	})
	return &authserver.Server{
		Snapshot: snap, Clients: auth, Activity: w, Log: log, Metrics: authserver.NewMetrics(prometheus.NewRegistry()), JWKSMaxAge: time.Minute,
	}, bodies
}

// fill makes an issuer, a tenant and clients, and returns their token requests.
func fill(b *testing.B, store domain.Store, vault *keys.Vault, alg string, n int) [][]byte {
	b.Helper()
	ctx := context.Background()
	issuer := domain.Issuer{Name: "a", URL: "http://localhost:8080", Dialect: "arbitex", Algorithm: alg}
	issuer.Defaults()
	key, err := keys.Make(&issuer, vault.Ring, time.Now(), time.Now())
	check(b, err)
	tenant := domain.Tenant{ID: "8c7b6a59-4838-4271-8605-f4e3d2c1b060", Label: "t"}
	var bodies [][]byte
	_, err = store.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
		bodies = nil
		_, e1 := t.Issuers.Put(ctx, issuer, 0)
		check(b, e1)
		_, e2 := t.Tenants.Put(ctx, tenant, 0)
		check(b, e2)
		_, e3 := t.Keys.Put(ctx, key, 0)
		check(b, e3)
		changes := []domain.Change{
			{Kind: issuer.Kind(), Key: issuer.Key(), Action: "x"}, {Kind: tenant.Kind(), Key: tenant.Key(), Action: "x"}, {Kind: key.Kind(), Key: key.Key(), Action: "x"},
		}
		for i := range n {
			id, s := "0a1b2c3d-4e5f-4a6b-8c7d-9e0f"+strconv.Itoa(10_000_000+i), secret.Generate()
			c := domain.Client{
				Issuer: "a", ID: id, Name: "c", Tenant: tenant.ID, Status: domain.Enabled, Epoch: 1, Tier: "standard",
				Scopes: oauth.Scope{"api:read", "audit:read"}, Audiences: []string{"urn:api"},
				Secrets: []domain.Secret{{ID: "1-1", Hash: vault.Peppers.Hash("a", id, "1-1", s)}},
			}
			_, err := t.Clients.Put(ctx, c, 0)
			check(b, err)
			changes = append(changes, domain.Change{Kind: c.Kind(), Key: c.Key(), Action: "x"})
			bodies = append(bodies, []byte("grant_type=client_credentials&client_id="+id+"&client_secret="+string(s)))
		}
		return changes, nil
	})
	check(b, err)
	return bodies
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
