package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/authserver"
	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/gateway"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/dialect"
)

// rotationCheck is how often keys are looked at for their age.
const rotationCheck = time.Minute

// recordWait is how long a request waits for room in the activity queue.
const recordWait = 2 * time.Second

// The stamp of a data directory: what made it.
const (
	stampKey = "made_by"
	Serve    = "serve"
	Dev      = "dev"
)

// Options say how a node is opened.
type Options struct {
	Config *config.Config
	Stamp  string           // Serve or Dev: data of one is refused by the other
	Log    io.Writer        // where the log goes
	Now    func() time.Time // the clock of this machine
}

// Node is one running Postern.
type Node struct {
	Config   *config.Config
	Registry *registry.Registry
	Snapshot *snapshot.Snapshot
	Log      *slog.Logger

	db          storage
	activity    *audit.Writer
	checkpoints *audit.Checkpointer
	clients     *clientauth.Authenticator
	auth        *authserver.Server
	guard       *guard.Guard
	gateway     *gateway.Gateway
	admin       http.Handler
	signing     *signin.SignIn
	metrics     http.Handler
	lines       *logWriter
	level       *slog.LevelVar   // of Log
	proxies     *request.Proxies // whose X-Forwarded-For is believed

	background sync.WaitGroup
	cancel     context.CancelFunc
}

// Open opens the store and all that works on it. Nothing listens yet. Close
// must be called.
func Open(ctx context.Context, o Options) (*Node, error) {
	n := &Node{Config: o.Config, level: new(slog.LevelVar), proxies: request.NewProxies(networks(o.Config)...)}
	n.Log, n.lines = newLog(o.Config.Log, n.level, o.Log)
	db, err := openStorage(ctx, o)
	if err != nil {
		return nil, err
	}
	n.db = db
	if err := n.wire(ctx, o); err != nil {
		_ = db.Close() // the first error is the one to tell
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.cancel = cancel
	n.background.Go(func() { n.Snapshot.Run(run) })
	n.background.Go(func() { n.lines.run(run) })
	n.background.Go(func() { n.rotate(run) })
	n.background.Go(func() { n.sweep(run) })
	n.background.Go(func() { n.retain(run) })
	n.background.Go(func() { n.recallTrust(run) })
	n.background.Go(func() { n.checkpoints.Run(run) })
	return n, nil
}

// wire builds the parts from the ground up.
func (n *Node) wire(ctx context.Context, o Options) error {
	if err := stamp(ctx, n.db, o.Stamp); err != nil {
		return err
	}
	set, err := Dialects(o.Config)
	if err != nil {
		return err
	}
	master, err := seal.ReadMaster(o.Config.MasterKeyFile)
	if err != nil {
		return err
	}
	vault, err := keys.OpenVault(ctx, n.db, master, o.Now())
	if err != nil {
		return err
	}
	n.Snapshot, err = snapshot.Open(ctx, snapshot.Config{
		Store: n.db, Vault: vault, Dialects: set, Clients: o.Config.ClientsCached,
		MaxStaleness: o.Config.MaxStaleness.Duration(), Local: o.Now, Log: n.Log, Notify: n.db.Notify,
	})
	if err != nil {
		return err
	}
	n.Registry = &registry.Registry{
		Store: n.Snapshot.Committing(), Dialects: set, Vault: vault, Now: n.Snapshot.Now, AllowHS256: o.Config.AllowHS256,
	}
	if o.Config.Audit.Tokens != config.AuditOff {
		n.Registry.Uses = n.db
	}
	n.activity, err = audit.Start(ctx, audit.Options{
		Node: o.Config.Node, Mode: audit.Mode(o.Config.Audit.Tokens), Activity: n.db, Marks: n.db, Log: n.Log, Now: n.Snapshot.Now,
		Wait: recordWait,
	})
	if err != nil {
		return err
	}
	n.checkpoints = n.checkpointer()
	if n.signing, err = n.signIn(o); err != nil {
		return err
	}
	n.wireLines(o, vault)
	return nil
}

// wireLines builds the token line and the call line.
func (n *Node) wireLines(o Options, vault *keys.Vault) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n.observe(reg)
	n.metrics = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	n.clients = clientauth.New(clientauth.Config{
		Clients: n.Snapshot, Peppers: vault.Peppers, Gate: secret.NewGate(),
		Guesses: ratelimit.NewGuesses(o.Now), Failures: ratelimit.NewFailures(o.Now),
		Now: n.Snapshot.Now, Trust: n.trust, Rehash: n.rehash,
	})
	n.auth = &authserver.Server{
		Snapshot: n.Snapshot, Clients: n.clients, Activity: n.activity, Trusted: n.proxies, Log: n.Log,
		Metrics: authserver.NewMetrics(reg), JWKSMaxAge: n.Config.JWKSMaxAge.Duration(),
	}
	n.guard = guard.New(guard.Config{Snapshot: n.Snapshot, MaxNodes: n.Config.Nodes()})
	n.gateway = gateway.New(gateway.Config{
		Guard: n.guard, Activity: n.activity, Metrics: gateway.NewMetrics(reg), Log: n.Log, Trusted: n.proxies, Now: n.Snapshot.Now,
		AuditLog: n.auditLog(),
	})
	n.admin = admin.New(admin.Config{
		Registry: n.Registry, Explainer: n.guard, SignIn: n.signing, Records: n.db, Audit: n.audited(), Trusted: n.proxies, Log: n.Log,
	})
}

// observe registers what the node knows of itself.
func (n *Node) observe(reg prometheus.Registerer) {
	gauge := func(name, help string, f func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	gauge("postern_feed_applied", "Number of the last change that this node has applied.",
		func() float64 { return float64(n.Snapshot.Applied()) })
	gauge("postern_activity_queued", "Activity entries that wait for their batch.",
		func() float64 { return float64(n.activity.Stats().Queued) })
	gauge("postern_activity_failures", "Failed attempts to write a batch of activity.",
		func() float64 { return float64(n.activity.Stats().Failures) })
}

// Dialects are those built in and those of the configuration.
func Dialects(c *config.Config) (dialect.Set, error) {
	user := make([]*dialect.Dialect, 0, len(c.Dialects))
	for _, file := range c.Dialects {
		data, err := os.ReadFile(file) //nolint:gosec // the administrator's own file
		if err != nil {
			return dialect.Set{}, fmt.Errorf("read dialect: %w", err)
		}
		d, err := dialect.Load(file, data)
		if err != nil {
			return dialect.Set{}, err
		}
		user = append(user, d)
	}
	return dialect.NewSet(user...)
}

// ErrStamp is returned for data of a kind of server that this one is not.
var ErrStamp = errors.New("the data directory was made by another kind of server")

// stamp marks a new data directory and refuses one of another mark.
func stamp(ctx context.Context, marks audit.Marks, want string) error {
	found, err := marks.Meta(ctx, stampKey)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return marks.SetMeta(ctx, stampKey, want)
	case err != nil:
		return err
	case found != want:
		return fmt.Errorf("%w: `postern %s` made it, and `postern %s` refuses it; name another directory", ErrStamp, found, want)
	}
	return nil
}

// Socket is the path of the admin socket in a data directory.
func Socket(data string) string { return filepath.Join(data, "admin.sock") }

// Listening is a node with its addresses open.
type Listening struct {
	node    *Node
	servers []*listener
	failed  chan error
}

// Listen opens every address of the configuration and the admin socket.
func (n *Node) Listen() (*Listening, error) {
	l := &Listening{node: n, failed: make(chan error, 1)}
	for _, c := range n.Config.Listeners {
		opened, err := n.listen(c)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l.servers = append(l.servers, opened)
	}
	socket, err := admin.Listen(Socket(n.Config.Data))
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := n.httpServer(nil)
	admin.Serve(server, n.admin)
	l.servers = append(l.servers, &listener{socket, server})
	return l, nil
}

// Addresses are those that were opened, in the order of the configuration.
func (l *Listening) Addresses() []net.Addr {
	list := make([]net.Addr, 0, len(l.servers))
	for _, s := range l.servers {
		list = append(list, s.Addr())
	}
	return list
}

// Close closes the addresses of a node that is not to serve after all.
func (l *Listening) Close() error {
	var err error
	for _, s := range l.servers {
		err = errors.Join(err, s.Close())
	}
	return err
}

// Serve answers until the context ends, then lets what is in flight end, as long as
// the configuration allows.
func (l *Listening) Serve(ctx context.Context) error {
	var running sync.WaitGroup
	for _, s := range l.servers {
		running.Go(func() {
			if err := s.http.Serve(s); !errors.Is(err, http.ErrServerClosed) {
				select {
				case l.failed <- fmt.Errorf("serve %s: %w", s.Addr(), err):
				default:
				}
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-l.failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.node.Config.Limits.ShutdownTimeout.Duration())
	defer cancel()
	var stopping sync.WaitGroup
	for _, s := range l.servers {
		stopping.Go(func() {
			if s.http.Shutdown(stop) != nil {
				_ = s.http.Close() // out of time
			}
		})
	}
	stopping.Wait()
	running.Wait()
	return err
}

// Close writes what is queued and lets go of the data.
func (n *Node) Close(ctx context.Context) error {
	n.gateway.Close() // first: what it ends, activity is told of
	n.clients.Wait()
	n.cancel()
	n.background.Wait()
	err := n.activity.Close(ctx)
	n.lastCheckpoint(ctx) // when nothing is written any more
	err = errors.Join(err, n.db.Close())
	n.lines.Flush()
	return err
}

// rotate replaces keys at their age.
func (n *Node) rotate(ctx context.Context) {
	tick := time.NewTicker(rotationCheck)
	defer tick.Stop()
	for {
		if err := n.Registry.RotateDue(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("keys that have reached their age could not be replaced", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// rehash keeps a better hash of a secret that was just used.
func (n *Node) rehash(issuer, client, secretID, oldHash, newHash string) (kept bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := n.Registry.ReplaceHash(ctx, issuer, client, secretID, oldHash, newHash)
	if err != nil {
		n.Log.Warn("the hash of a secret could not be replaced; the next use tries again", "issuer", issuer, "client", client, "error", err)
	}
	return err == nil
}

// sourceTrusted is the activity by which a node remembers, over a restart, from
// where a client of an issuer with imported secrets has come.
const sourceTrusted domain.Action = "source.trust"

func (n *Node) trust(issuer, client string, source ratelimit.Source) {
	now := n.Snapshot.Now()
	n.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := n.activity.Record(ctx, domain.Entry{
			ID: domain.NewEventID(now), Action: sourceTrusted, Issuer: issuer, Client: client, Source: source.String(),
		})
		if err != nil {
			n.Log.Warn("a trusted source could not be remembered", "issuer", issuer, "client", client, "error", err)
		}
	})
}

// recallTrust reads back what trust wrote.
func (n *Node) recallTrust(ctx context.Context) {
	imported := slices.ContainsFunc(n.Snapshot.View().Issuers(), func(i *snapshot.Issuer) bool { return i.ImportedSecrets })
	if !imported {
		return
	}
	q := domain.Query{Action: sourceTrusted, From: n.Snapshot.Now().Add(-ratelimit.TrustedFor), Limit: 500}
	for {
		page, err := n.db.Search(ctx, q)
		if err != nil {
			if ctx.Err() == nil {
				n.Log.Error("trusted sources could not be read; they are trusted again after their next success", "error", err)
			}
			return
		}
		for _, e := range page {
			if prefix, err := netip.ParsePrefix(e.Source); err == nil {
				n.clients.Guesses.Preload(ratelimit.Client{Issuer: e.Issuer, ID: e.Client}, ratelimit.SourceOf(prefix.Addr()), e.ID.Time())
			}
		}
		if len(page) < q.Limit {
			return
		}
		q.Before = page[len(page)-1].ID
	}
}
