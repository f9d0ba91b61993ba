package declare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Prune deletes what is of the set and in its files no more, what refers to others first,
// and nothing else.
func TestPrune(t *testing.T) {
	reg := newRegistry(t)
	core := declare.Options{Set: "core"}
	if _, err := with(t, reg, core, guarded()...); err != nil {
		t.Fatal(err)
	}
	hand := domain.Policy{Name: "by-hand", Actions: map[string]string{"a": "b"}}
	if _, _, err := reg.PutPolicy(t.Context(), by, hand, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := with(t, reg, declare.Options{Set: "core-two"}, file("a.yaml", "kind: Tier\nname: other\nper_minute: 1\n")); err != nil {
		t.Fatal(err)
	}
	if r, err := with(t, reg, core, file("a.yaml", issuerFile)); err != nil || told(r) != "issuer updated" { // from another file
		t.Fatalf("what is not asked for: %s, %v", told(r), err)
	}
	core.Prune = true
	before := seq(t, reg)
	want := "issuer unchanged, client deleted, client deleted, api deleted, tenant deleted, policy deleted, tier deleted"
	dry, err := rehearsed(t, reg, core, file("a.yaml", issuerFile))
	if err != nil || told(dry) != want || seq(t, reg) != before || len(dry.Items[1].Differences) == 0 {
		t.Errorf("dry: %s, %v, %d changes", told(dry), err, seq(t, reg)-before)
	}
	r, err := with(t, reg, core, file("a.yaml", issuerFile))
	if err != nil || told(r) != want || r.Items[1].File != "a-client.yaml" || r.Items[1].Label != "Billing" {
		t.Fatalf("%s, %v", told(r), err)
	}
	// Its tokens are dead: a client made anew has a higher epoch.
	grave, err := reg.Store.Read().Tombstones.Get(t.Context(), domain.ClientKey("main", clientID))
	if err != nil || grave.Epoch != 2 {
		t.Errorf("%+v, %v", grave, err)
	}
	if _, err := reg.GetPolicy(t.Context(), "by-hand"); err != nil {
		t.Error(err)
	}
	if _, err := reg.GetTier(t.Context(), "other"); err != nil {
		t.Error(err)
	}
	if r, err := with(t, reg, core, guarded()...); err != nil || len(r.Secrets) != 2 {
		t.Errorf("%d secrets, %v", len(r.Secrets), err)
	}
	if c, err := reg.GetClient(t.Context(), "main", clientID); err != nil || c.Epoch <= 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A directory without an object prunes a whole set only where that is said.
func TestPruneAll(t *testing.T) {
	reg := newRegistry(t)
	core := declare.Options{Set: "core"}
	if _, err := with(t, reg, core, guarded()...); err != nil {
		t.Fatal(err)
	}
	core.Prune = true
	before := seq(t, reg)
	for _, files := range [][]declare.File{nil, {file("a.yaml", "# nothing\n---\n")}} {
		if _, err := with(t, reg, core, files...); !errors.Is(err, declare.ErrNothingLeft) || seq(t, reg) != before {
			t.Errorf("%v", err)
		}
		if _, err := rehearsed(t, reg, core, files...); !errors.Is(err, declare.ErrNothingLeft) {
			t.Errorf("%v", err)
		}
	}
	core.PruneAll = true
	r, err := with(t, reg, core)
	if err != nil || told(r) != "client deleted, client deleted, api deleted, tenant deleted, issuer deleted, policy deleted, tier deleted" {
		t.Errorf("%s, %v", told(r), err)
	}
	if list, err := reg.Store.Read().Keys.List(t.Context(), domain.Page{}); err != nil || len(list) != 0 {
		t.Errorf("%d keys are left, %v", len(list), err)
	}
}

// What somebody else still needs is told before anything is changed, by apply as by its
// rehearsal; what only the files need, with their line.
func TestPruneInUse(t *testing.T) {
	reg := newRegistry(t)
	core := declare.Options{Set: "core"}
	if _, err := with(t, reg, core, guarded()...); err != nil {
		t.Fatal(err)
	}
	mine := domain.Client{Issuer: "main", Name: "by hand", PlatformWide: true, Audiences: []string{"a"}, Policies: []string{"reader"}}
	if _, _, err := reg.CreateClient(t.Context(), by, mine); err != nil {
		t.Fatal(err)
	}
	core.Prune = true
	before := seq(t, reg)
	files := []declare.File{file("b.yaml", tenantFile+"---\n"+issuerFile+"---\nkind: Tier\nname: new\nper_minute: 1\n")}
	for _, do := range []func(testing.TB, *registry.Registry, declare.Options, ...declare.File) (declare.Result, error){with, rehearsed} {
		_, err := do(t, reg, core, files...)
		if !errors.Is(err, registry.ErrInUse) || !strings.HasPrefix(err.Error(), "prune policy reader (core/0.yaml): policy reader is still in use: by client") || seq(t, reg) != before {
			t.Errorf("%v, %d changes", err, seq(t, reg)-before)
		}
	}
	_, err := with(t, reg, core, append(files, file("c.yaml", strings.Replace(clientFile, "lifetime: 30m", "policies: [reader]\ntier: gold", 1)))...)
	want := "c.yaml:8: policies[0] there is no policy \"reader\"; make it first, or name another\nc.yaml:9: tier there is no tier \"gold\""
	if err == nil || !strings.HasPrefix(err.Error(), want) || seq(t, reg) != before {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = with(t, reg, core, file("c.yaml", clientFile))
	for _, want := range []string{`c.yaml:2: issuer there is no issuer "main"`, `c.yaml:5: tenant there is no tenant`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Prune keeps to transactions of a hundred too, and a tier in the place of a built-in one
// may go while it is in use.
func TestPruneInChunks(t *testing.T) {
	reg := newRegistry(t)
	core := declare.Options{Set: "core"}
	var text strings.Builder
	text.WriteString("kind: Tier\nname: standard\nper_minute: 5\n")
	for i := range 250 {
		fmt.Fprintf(&text, "---\nkind: Client\nissuer: main\nid: %08d-2222-4222-8222-222222222222\nname: n\nplatform_wide: true\naudiences: [urn:x]\n", i)
	}
	if _, err := with(t, reg, core, file("a.yaml", issuerFile), file("c.yaml", text.String())); err != nil {
		t.Fatal(err)
	}
	commits := &counting{Store: reg.Store}
	reg.Store = commits
	core.Prune = true
	last := strings.Replace(clientFile, "tenant: 11111111-1111-4111-8111-111111111111", "platform_wide: true", 1)
	last = strings.Replace(last, "resource_scope: {study: {ids: [2]}}\n", "", 1)
	r, err := with(t, reg, core, file("a.yaml", issuerFile), file("b.yaml", last))
	if err != nil || commits.n != 1+3 || len(r.Items) != 2+251 {
		t.Errorf("%d transactions, %d items, %v", commits.n, len(r.Items), err)
	}
	if list, err := reg.ListClients(t.Context(), "", "", domain.Page{}); err != nil || len(list) != 1 {
		t.Errorf("%d clients, %v", len(list), err)
	}
}
