package e2e

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/authserver"
	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

// apart is a node whose own clock is not that of its database.
func apart(t *testing.T, local, database *clock) (*authserver.Server, *registry.Registry) {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, t.TempDir(), sqlite.Options{Now: database.now})
	if err != nil {
		t.Fatal(err)
	}
	master, err := seal.NewMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(ctx, db, master, database.now())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := snapshot.Open(ctx, snapshot.Config{
		Store: db, Vault: vault, Dialects: dialect.Builtin(), Clients: 1000, MaxStaleness: time.Minute, Local: local.now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	activity, err := audit.Start(ctx, audit.Options{Node: "apart", Activity: db, Marks: db, Log: log, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := activity.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	clients := clientauth.New(clientauth.Config{
		Clients: s, Peppers: vault.Peppers, Gate: secret.NewGate(),
		Guesses: ratelimit.NewGuesses(s.Now), Failures: ratelimit.NewFailures(s.Now), Now: s.Now,
	})
	return &authserver.Server{
		Snapshot: s, Clients: clients, Activity: activity, Log: log, Metrics: authserver.NewMetrics(prometheus.NewRegistry()), JWKSMaxAge: 5 * time.Minute,
	}, &registry.Registry{Store: s.Committing(), Dialects: dialect.Builtin(), Vault: vault, Now: s.Now}
}

// RULES, Snapshot and feed; D-39: the clock of the machine is five minutes off, before or
// behind; tokens carry the time of the database, and the node says that it is not ready.
func TestClockFiveMinutesOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"behind": -5 * time.Minute, "ahead": 5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			local, database := &clock{t: begin.Add(off)}, &clock{t: begin}
			server, r := apart(t, local, database)
			ctx := context.Background()
			if _, _, err := r.PutIssuer(ctx, administrator, domain.Issuer{Name: "one", URL: "https://one.example"}, 0); err != nil {
				t.Fatal(err)
			}
			c, plain, err := r.CreateClient(ctx, administrator, domain.Client{Issuer: "one", Name: "c", PlatformWide: true, Audiences: []string{"urn:one"}})
			if err != nil {
				t.Fatal(err)
			}
			if !c.Created.Equal(begin) {
				t.Errorf("created at %v", c.Created)
			}
			for range 2 {
				token := issue(t, server, c.ID, string(plain))
				keys, err := jwt.ParseJWKS(server.Snapshot.View().Issuers()[0].JWKS(server.Snapshot.Now()))
				if err != nil {
					t.Fatal(err)
				}
				claims, err := jwt.Verify(token, keys, jwt.Expect{Issuer: "https://one.example", Audience: "urn:one", Now: database.now()})
				if err != nil {
					t.Fatal(err)
				}
				if got := claims.Expires.Sub(database.now()); got != time.Hour {
					t.Errorf("lives %v from now", got)
				}
				local.tick(30 * time.Second)
				database.tick(30 * time.Second)
			}
			if err := server.Snapshot.Ready(); err == nil || !strings.Contains(err.Error(), "5m0s") {
				t.Errorf("ready: %v", err)
			}
			if err := server.Snapshot.Fresh(); err != nil {
				t.Errorf("stale: %v", err)
			}
		})
	}
}

func issue(t *testing.T, server *authserver.Server, id, secret string) string {
	t.Helper()
	r := httptest.NewRequest("POST", "https://one.example/oauth2/token", strings.NewReader("grant_type=client_credentials&client_id="+id+"&client_secret="+secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return tokenOf(w.Body.String())
}
