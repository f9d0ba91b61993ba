package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/seal"
)

const nodesIssuer = "kind: Issuer\nname: nodes\nurl: https://nodes.example\n"

const nodesClient = `kind: Client
issuer: nodes
id: dd000000-0000-4000-8000-00000000000b
name: everywhere
platform_wide: true
audiences: ["urn:nodes"]
`

// openNodes starts two nodes at once on one empty database.
func openNodes(t *testing.T) [2]*world {
	t.Helper()
	url := pgtest.Start(t).Database(t)
	dir := t.TempDir()
	file, master := filepath.Join(dir, "url"), filepath.Join(dir, "master.key")
	if err := os.WriteFile(file, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.NewMaster(master); err != nil {
		t.Fatal(err)
	}
	var nodes [2]*world
	var failed [2]error
	var starting sync.WaitGroup
	for i := range nodes {
		cfg := config.Default()
		cfg.Data, cfg.Node, cfg.MasterKeyFile, cfg.Store.PostgresFile = t.TempDir(), fmt.Sprint("node-", i), master, file
		cfg.Listeners = []config.Listener{{Address: "127.0.0.1:0", Surfaces: []config.Surface{config.Token, config.Health}}}
		nodes[i] = &world{data: cfg.Data, log: new(log)}
		starting.Go(func() { failed[i] = nodes[i].start(cfg, time.Now) })
	}
	starting.Wait()
	t.Cleanup(func() {
		for _, w := range nodes {
			if w.stop == nil {
				continue
			}
			if err := w.stop(); err != nil {
				t.Error("stop:", err)
			}
		}
	})
	if err := errors.Join(failed[:]...); err != nil {
		t.Fatal(err)
	}
	return nodes
}

// issues reports whether a node gives the client a token. One that is refused too
// often is told so by 429; the right secret is served all the same. 421 is the
// answer of a node that has not heard of the issuer yet.
func issues(t *testing.T, conn *wire, c made) bool {
	t.Helper()
	a, err := conn.send(compose([]string{
		"POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "",
		"grant_type=client_credentials&client_id=" + c.ID + "&client_secret=" + string(c.secret),
	}, "nodes.example"))
	if err != nil || a.status != 200 && a.status != 401 && a.status != 421 && a.status != 429 {
		t.Fatal(a, err)
	}
	return a.status == 200
}

// until polls until the node issues, or refuses, and returns how long that took.
func until(t *testing.T, conn *wire, c made, issued bool) time.Duration {
	t.Helper()
	for begin := time.Now(); ; {
		got := issues(t, conn, c)
		took := time.Since(begin)
		if got == issued {
			return took
		}
		if took > 5*time.Second {
			t.Fatalf("issues: %v, after %s", got, took)
		}
	}
}

// DESIGN §7, ARB-10: what one node commits the other follows within a second:
// a client made, disabled, enabled, and its keys.
func TestTwoNodes(t *testing.T) {
	nodes := openNodes(t)
	a, b := nodes[0], nodes[1]
	if _, err := a.create(nodesIssuer); err != nil {
		t.Fatal(err)
	}
	list, err := a.create(nodesClient)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := list[0], context.Background()
	onA, onB := &wire{address: a.addresses[0]}, &wire{address: b.addresses[0]}
	defer onA.close()
	defer onB.close()
	if !issues(t, onA, c) {
		t.Fatal("the node that made it refuses it")
	}
	until(t, onB, c, true) // one pepper, one vault
	var took []time.Duration
	for range 25 {
		if _, err := a.node.Registry.DisableClient(ctx, administrator, "nodes", c.ID); err != nil {
			t.Fatal(err)
		}
		took = append(took, until(t, onB, c, false))
		if issues(t, onA, c) {
			t.Fatal("the committing node issues")
		}
		if _, err := b.node.Registry.EnableClient(ctx, administrator, "nodes", c.ID); err != nil {
			t.Fatal(err)
		}
		until(t, onA, c, true)
	}
	slices.Sort(took)
	t.Logf("disabled on one node, refused by the other: median %s, maximum %s", took[len(took)/2], took[len(took)-1])
	if longest := took[len(took)-1]; longest > time.Second {
		t.Errorf("a disabled client was answered for %s by the other node", longest)
	}
	rotated, err := b.node.Registry.RotateKey(ctx, administrator, "nodes", keys.RotateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range nodes {
		published(t, w, rotated.ID)
	}
}

// published waits until a node publishes a key.
func published(t *testing.T, w *world, kid string) {
	t.Helper()
	conn := &wire{address: w.addresses[0]}
	defer conn.close()
	for begin := time.Now(); ; {
		a, err := conn.send(compose([]string{"GET /.well-known/jwks.json HTTP/1.1", "", ""}, "nodes.example"))
		if err != nil || a.status != http.StatusOK {
			t.Fatal(a, err)
		}
		if bytes.Contains([]byte(a.body), []byte(kid)) {
			return
		}
		if time.Since(begin) > time.Second {
			t.Fatalf("key %s is not published: %s", kid, a.body)
		}
	}
}

// Both nodes rotate, create and follow at the same time, and none stumbles over the other.
func TestTwoNodesChangeAtOnce(t *testing.T) {
	nodes := openNodes(t)
	if _, err := nodes[0].create(nodesIssuer); err != nil {
		t.Fatal(err)
	}
	var changing sync.WaitGroup
	for n, w := range nodes {
		changing.Go(func() {
			for i := range 10 {
				_, _, err := w.node.Registry.CreateClient(context.Background(), administrator, domain.Client{
					Issuer: "nodes", ID: fmt.Sprintf("dd000000-0000-4000-8000-0000000%d%04d", n, i), Name: "x", PlatformWide: true, Audiences: []string{"urn:nodes"},
				})
				if err != nil {
					t.Error(err)
				}
			}
			if err := w.node.Registry.RotateDue(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	changing.Wait()
	for _, w := range nodes {
		list, err := w.node.Registry.ListClients(context.Background(), "nodes", "", domain.Page{})
		if err != nil || len(list) != 20 {
			t.Errorf("%d clients, %v", len(list), err)
		}
	}
}

// Two nodes of one name would break each other's chain of activity: the second
// does not start, and says why.
func TestTwoNodesOfOneName(t *testing.T) {
	nodes := openNodes(t)
	cfg := *nodes[0].node.Config
	cfg.Data = t.TempDir()
	second := &world{data: cfg.Data, log: new(log)}
	if err := second.start(&cfg, time.Now); !errors.Is(err, postgres.ErrNode) {
		t.Errorf("started: %v", err)
	}
	// Nor does another one in the same data directory.
	cfg.Data, cfg.Node = nodes[0].data, "another"
	if err := second.start(&cfg, time.Now); err == nil {
		t.Error("started in the data directory of another")
	}
}

// A notification only makes a poll earlier: without sessions that hear of
// changes, nodes follow all the same.
func TestTwoNodesWithoutNotifications(t *testing.T) {
	nodes := openNodes(t)
	a, b := nodes[0], nodes[1]
	if _, err := a.create(nodesIssuer); err != nil {
		t.Fatal(err)
	}
	list, err := a.create(nodesClient)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := list[0], context.Background()
	url, err := os.ReadFile(a.node.Config.Store.PostgresFile)
	if err != nil {
		t.Fatal(err)
	}
	onB := &wire{address: b.addresses[0]}
	defer onB.close()
	until(t, onB, c, true)
	var took []time.Duration
	for range 10 {
		pgtest.Exec(t, strings.TrimSpace(string(url)),
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
		if _, err := a.node.Registry.DisableClient(ctx, administrator, "nodes", c.ID); err != nil {
			t.Fatal(err)
		}
		took = append(took, until(t, onB, c, false))
		if _, err := a.node.Registry.EnableClient(ctx, administrator, "nodes", c.ID); err != nil {
			t.Fatal(err)
		}
		until(t, onB, c, true)
	}
	slices.Sort(took)
	t.Logf("refused by the other node: median %s, maximum %s", took[len(took)/2], took[len(took)-1])
	if longest := took[len(took)-1]; longest > time.Second {
		t.Errorf("a disabled client was answered for %s by the other node", longest)
	}
}
