package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	node "github.com/postern-dev/postern/internal/server"
)

const (
	appliedClients = 1000   // that are made in each round
	keptClients    = 10_000 // that are applied without a change
	insertChunk    = 100    // objects in one transaction, as apply has it
	applyTenant    = "11111111-1111-4111-8111-111111111111"
)

// applied is what it costs to make clients by applying files, beside bare inserts of the
// same clients into another store of the same kind.
type applied struct {
	Store   string    `json:"store"`
	Clients int       `json:"clients"`
	Inserts []float64 `json:"inserts_ms"` // by round
	Parses  []float64 `json:"parses_ms"`
	Applies []float64 `json:"applies_ms"` // without parsing
	Target  string    `json:"target"`
}

// unchanged is how long `postern apply` takes where everything is as the files say.
type unchanged struct {
	Clients int       `json:"clients"`
	Times   []float64 `json:"times_ms"` // from exec to exit
	Target  string    `json:"target"`
}

// applying measures both.
func (b *bench) applying(ctx context.Context) error {
	p, ok := b.candidate.(postern)
	if !ok {
		return errors.New("the floor has no files to apply: measure postern")
	}
	if err := b.applySQLite(ctx); err != nil {
		return fmt.Errorf("SQLite: %w", err)
	}
	if !b.single {
		if err := b.applyPostgres(ctx); err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
	}
	return errors.Join(b.applyUnchanged(ctx, p), b.result.applyTables(b.out))
}

func (b *bench) applySQLite(ctx context.Context) error {
	var pair [2]place
	for i := range pair {
		b.prepared++
		address, err := freeAddress()
		if err != nil {
			return err
		}
		pair[i] = place{dir: filepath.Join(b.dir, fmt.Sprintf("apply-%d", b.prepared)), address: address}
		if err := os.Mkdir(pair[i].dir, 0o700); err != nil {
			return err
		}
	}
	return b.applyRounds(ctx, "SQLite", pair)
}

func (b *bench) applyPostgres(ctx context.Context) error {
	db, err := startDatabase()
	if err != nil {
		return err
	}
	defer db.stop()
	var pair [2]place
	for i, name := range []string{"bare", "declared"} {
		url, err := db.make(ctx, name, true)
		if err != nil {
			return err
		}
		places, err := b.places(url, 1)
		if err != nil {
			return err
		}
		pair[i] = places[0]
	}
	return b.applyRounds(ctx, "PostgreSQL", pair)
}

// applyRounds makes the same clients in both stores, round by round: in the first by bare
// inserts, in the second by applying a file.
func (b *bench) applyRounds(ctx context.Context, store string, pair [2]place) (err error) {
	var nodes [2]*node.Node
	for i, at := range pair {
		if nodes[i], err = openEmpty(ctx, at); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, nodes[i].Close(ctx)) }()
	}
	bare, declared := nodes[0].Registry, nodes[1].Registry
	found := applied{Store: store, Clients: appliedClients, Target: "≤ 1.5"}
	for round := range b.rounds + 1 { // the first warms up
		files := []declare.File{{Name: "clients.yaml", Content: clientFile(round*appliedClients, appliedClients)}}
		runtime.GC()
		began := time.Now()
		objects, err := declare.Parse(files)
		if err != nil {
			return err
		}
		parsing := time.Since(began)
		applying, inserting, err := bothWays(ctx, bare, declared, objects, round%2 == 0)
		if err != nil {
			return err
		}
		if round > 0 {
			found.Parses = append(found.Parses, milliseconds(parsing))
			found.Applies = append(found.Applies, milliseconds(applying))
			found.Inserts = append(found.Inserts, milliseconds(inserting))
		}
	}
	b.note("%s: %d clients applied in %.0f ms, inserted in %.0f ms", store, appliedClients, median(found.Applies), median(found.Inserts))
	b.result.Applied = append(b.result.Applied, found)
	return nil
}

// bothWays makes the clients in both stores, and returns how long each took.
func bothWays(ctx context.Context, bare, declared *registry.Registry, objects declare.Objects, applyFirst bool) (applying, inserting time.Duration, err error) {
	list := asKept(objects.Clients())
	insertAll := func() error {
		runtime.GC()
		began := time.Now()
		defer func() { inserting = time.Since(began) }()
		return insert(ctx, bare.Store, list)
	}
	if !applyFirst {
		if err := insertAll(); err != nil {
			return 0, 0, err
		}
	}
	runtime.GC()
	began := time.Now()
	done, err := declare.Apply(ctx, declared, domain.System, objects, declare.Options{Set: "bench"})
	applying = time.Since(began)
	if err != nil || len(done.Secrets) != len(list) {
		return 0, 0, fmt.Errorf("%d clients were made, want %d: %w", len(done.Secrets), len(list), err)
	}
	if applyFirst {
		err = insertAll()
	}
	return applying, inserting, err
}

// asKept are the clients as the registry keeps them, with a secret each.
func asKept(list []domain.Client) []domain.Client {
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range list {
		c := &list[i]
		c.Status, c.Epoch, c.Created, c.Origin = domain.Enabled, 1, now, "bench/clients.yaml"
		c.Secrets = []domain.Secret{{ID: "1-1", LastFour: "abcd", Created: now, Hash: "$postern$p1$" + strings.Repeat("h", 43)}}
	}
	return list
}

// insert puts the clients, in the chunks in which they are applied.
func insert(ctx context.Context, into domain.Store, list []domain.Client) error {
	for some := range slices.Chunk(list, insertChunk) {
		_, err := into.Change(ctx, domain.System, func(t domain.Tables) (changes []domain.Change, err error) {
			for _, c := range some {
				if _, err := t.Clients.Put(ctx, c, 0); err != nil {
					return nil, err
				}
				changes = append(changes, domain.Change{Kind: c.Kind(), Key: c.Key(), Action: "client.create"})
			}
			return changes, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// openEmpty opens a node at the place, with the objects to which the clients refer.
func openEmpty(ctx context.Context, at place) (*node.Node, error) {
	if err := writeConfig(at, setup{algorithm: "ES256"}); err != nil {
		return nil, err
	}
	cfg, err := config.Load(at.file())
	if err != nil {
		return nil, err
	}
	opened, err := node.Open(ctx, node.Options{Config: cfg, Stamp: node.Serve, Log: io.Discard, Now: time.Now})
	if err != nil {
		return nil, err
	}
	objects, err := declare.Parse([]declare.File{{Name: "ground.yaml", Content: []byte("kind: Issuer\nname: " + issuerName + "\nurl: " + at.origin(setup{}) + "\n---\n" + groundFile)}})
	if err == nil {
		_, err = declare.Apply(ctx, opened.Registry, domain.System, objects, declare.Options{Set: "ground"})
	}
	return opened, err
}

// groundFile is what the clients refer to, but the issuer.
const groundFile = "kind: Tenant\nid: " + applyTenant + "\nlabel: Tenant\nresources: {study: [s1, s2]}\n---\n" +
	"kind: Policy\nname: reader\nactions: {\"studies:read\": read studies}\n---\nkind: Tier\nname: gold\nper_minute: 5000\n"

// clientFile declares clients, the first of them with this number.
func clientFile(first, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "---\nkind: Client\nissuer: %s\nid: %08x-2222-4222-8222-222222222222\nname: Client %d\ntenant: %s\nscopes: [studies:read, studies:write]\n"+
			"audiences: [https://api.example.com]\npolicies: [reader]\nresource_scope: {study: {ids: [s1]}}\ntier: gold\nlifetime: 30m\nowner: Somebody\n", issuerName, first+i, first+i, applyTenant)
	}
	return b.Bytes()
}

// applyUnchanged applies many clients to a running server by its own command, and then
// again and again.
func (b *bench) applyUnchanged(ctx context.Context, p postern) (err error) {
	l, err := b.prepare(ctx, p, setup{algorithm: "ES256", clients: 1})
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, p, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	dir := filepath.Join(b.dir, "objects")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "ground.yaml"), []byte(groundFile), 0o600); err != nil {
		return err
	}
	const inFile = 1000
	for i := 0; i < keptClients; i += inFile {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("clients-%d.yaml", i)), clientFile(i, inFile), 0o600); err != nil {
			return err
		}
	}
	found := unchanged{Clients: keptClients, Target: "< 5 s"}
	for round := range b.rounds + 1 {
		began := time.Now()
		cmd := exec.CommandContext(ctx, p.binary, "apply", "-f", dir, "--data", l.data, "--secrets-file", filepath.Join(b.dir, fmt.Sprintf("secrets-%d.json", round))) //nolint:gosec // our own binary
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, complaints.String())
		}
		if round == 0 { // which makes them
			continue
		}
		found.Times = append(found.Times, milliseconds(time.Since(began)))
		if n := strings.Count(string(out), "unchanged"); n != keptClients+3 {
			return fmt.Errorf("%d objects are unchanged, want %d", n, keptClients+3)
		}
	}
	b.result.Unchanged = append(b.result.Unchanged, found)
	return nil
}

// applyTables are those of both.
func (r *result) applyTables(w io.Writer) error {
	var rows [][]string
	for _, a := range r.Applied {
		ratios, whole := make([]float64, len(a.Applies)), make([]float64, len(a.Applies))
		for i := range ratios {
			ratios[i], whole[i] = a.Applies[i]/a.Inserts[i], (a.Applies[i]+a.Parses[i])/a.Inserts[i]
		}
		rows = append(rows, []string{
			a.Store, fmt.Sprintf("%.0f", median(a.Inserts)), fmt.Sprintf("%.0f", median(a.Applies)), fmt.Sprintf("**%.2f**", median(ratios)),
			fmt.Sprintf("%.2f–%.2f", slices.Min(ratios), slices.Max(ratios)), a.Target, fmt.Sprintf("%.0f", median(a.Parses)), fmt.Sprintf("%.2f", median(whole)),
		})
	}
	head := []string{"", "inserts ms", "apply ms", "ratio", "(lowest–highest)", "target", "YAML ms", "ratio with YAML"}
	err := table(w, fmt.Sprintf("Apply of %d clients against bare inserts, medians of %d rounds", appliedClients, r.Rounds), head, rows)
	rows = nil
	for _, u := range r.Unchanged {
		rows = append(rows, []string{fmt.Sprint(u.Clients), fmt.Sprintf("**%.0f**", median(u.Times)), fmt.Sprintf("%.0f–%.0f", slices.Min(u.Times), slices.Max(u.Times)), u.Target})
	}
	return errors.Join(err, table(w, "`postern apply` of what is there already, from exec to exit", []string{"clients", "median ms", "lowest–highest", "target"}, rows))
}
