package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	_ "modernc.org/sqlite" // a second look at the database

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
)

// clock is a clock that stands until it is told to go.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) tick(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// log is where the server's log goes.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is one running Postern.
type world struct {
	node      *server.Node
	addresses []string // of its listeners
	socket    string   // of its admin API
	data      string
	log       *log
	clock     *clock // nil: the time that it is
	side      *sql.DB

	stop func() error // idempotent
}

// proxy is the only peer whose X-Forwarded-For is believed.
const proxy = "127.9.9.9"

// begin is the time in conversations.
var begin = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// open starts a server with the standing clock; change, if any, edits its configuration.
func open(t testing.TB, change func(*config.Config)) *world {
	t.Helper()
	c := &clock{t: begin}
	w := openAt(t, c.now, change)
	w.clock = c
	return w
}

// openAt starts a server with a clock.
func openAt(t testing.TB, now func() time.Time, change func(*config.Config)) *world {
	t.Helper()
	w := &world{data: t.TempDir(), log: new(log)}
	cfg := config.Default()
	cfg.Data, cfg.Node, cfg.AllowHS256 = w.data, "e2e", true
	cfg.MasterKeyFile = filepath.Join(t.TempDir(), "master.key")
	cfg.Listeners = []config.Listener{{Address: "127.0.0.1:0", Surfaces: []config.Surface{config.Token, config.Health, config.Metrics}}}
	cfg.Log.Level = "debug"
	var network config.Network
	if err := yaml.Unmarshal([]byte(proxy+"/32"), &network); err != nil {
		t.Fatal(err)
	}
	cfg.TrustedProxies = []config.Network{network}
	if change != nil {
		change(cfg)
	}
	if _, err := os.Stat(cfg.MasterKeyFile); err != nil {
		if _, err := seal.NewMaster(cfg.MasterKeyFile); err != nil {
			t.Fatal(err)
		}
	}
	w.data = cfg.Data
	if err := w.start(cfg, now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Error("stop:", err)
		}
	})
	return w
}

func (w *world) start(cfg *config.Config, now func() time.Time) error {
	ctx, cancel := context.WithCancel(context.Background())
	node, err := server.Open(ctx, server.Options{Config: cfg, Stamp: server.Serve, Log: w.log, Now: now})
	if err != nil {
		cancel()
		return err
	}
	listening, err := node.Listen()
	if err != nil {
		cancel()
		return errors.Join(err, node.Close(context.Background()))
	}
	w.node = node
	for _, a := range listening.Addresses() {
		w.addresses = append(w.addresses, a.String())
	}
	w.socket = server.Socket(cfg.Data)
	served := make(chan error, 1)
	go func() { served <- listening.Serve(ctx) }()
	w.stop = sync.OnceValue(func() error {
		if w.side != nil {
			_ = w.side.Close()
		}
		cancel()
		err := <-served
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(err, node.Close(end))
	})
	return nil
}

// database is a connection of our own to the database of the server, beside its back.
func (w *world) database() (*sql.DB, error) {
	if w.side != nil {
		return w.side, nil
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.data, sqlite.File)+"?_pragma=busy_timeout(5000)")
	w.side = db
	return db, err
}

// objects are those of a YAML file.
type objects struct {
	tiers    []domain.Tier
	policies []domain.Policy
	issuers  []domain.Issuer
	tenants  []domain.Tenant
	apis     []domain.API
	clients  []domain.Client
}

func parseObjects(text string) (objects, error) {
	var o objects
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var node yaml.Node
		if err := dec.Decode(&node); errors.Is(err, io.EOF) {
			return o, nil
		} else if err != nil {
			return o, err
		}
		body := node.Content[0]
		if len(body.Content) < 2 || body.Content[0].Value != "kind" {
			return o, errors.New("an object begins with its kind")
		}
		kind := body.Content[1].Value
		body.Content = body.Content[2:]
		var err error
		switch kind {
		case "Tier":
			o.tiers, err = more(o.tiers, body)
		case "Policy":
			o.policies, err = more(o.policies, body)
		case "Issuer":
			o.issuers, err = more(o.issuers, body)
		case "Tenant":
			o.tenants, err = more(o.tenants, body)
		case "API":
			o.apis, err = more(o.apis, body)
		case "Client":
			o.clients, err = more(o.clients, body)
		default:
			err = fmt.Errorf("kind %q", kind)
		}
		if err != nil {
			return o, err
		}
	}
}

// more is the list with one object more.
func more[T any](list []T, body *yaml.Node) ([]T, error) {
	var v T
	err := body.Decode(&v)
	return append(list, v), err
}

// made is a client that was created, with its secret.
type made struct {
	domain.Client
	secret oauth.Secret
}

const administrator domain.Actor = "local:1000"

// create brings objects into the server. What is there already is replaced, but for clients.
func (w *world) create(text string) ([]made, error) {
	o, err := parseObjects(text)
	if err != nil {
		return nil, err
	}
	ctx, r := context.Background(), w.node.Registry
	err = errors.Join(
		each(o.tiers, func(v domain.Tier) error { _, _, err := r.PutTier(ctx, administrator, v, 0); return err }),
		each(o.policies, func(v domain.Policy) error { _, _, err := r.PutPolicy(ctx, administrator, v, 0); return err }),
		each(o.issuers, func(v domain.Issuer) error { _, _, err := r.PutIssuer(ctx, administrator, v, 0); return err }),
		each(o.tenants, func(v domain.Tenant) error { _, _, err := r.PutTenant(ctx, administrator, v, 0); return err }),
		each(o.apis, func(v domain.API) error { _, _, err := r.PutAPI(ctx, administrator, v, 0); return err }),
	)
	if err != nil {
		return nil, err
	}
	var list []made
	for _, v := range o.clients {
		c, secret, err := r.CreateClient(ctx, administrator, v)
		if err != nil {
			return list, err
		}
		list = append(list, made{c, secret})
	}
	return list, nil
}

// each calls f until it fails.
func each[T any](list []T, f func(T) error) error {
	for _, v := range list {
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}
