package declare_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

func export(t testing.TB, reg *registry.Registry, of declare.Selection) []declare.File {
	t.Helper()
	files, err := declare.Export(t.Context(), reg, of)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// COM-08: what is exported is what was applied: applied again it changes nothing, and
// elsewhere it makes the same. No secret is in it.
func TestExport(t *testing.T) {
	reg := newRegistry(t)
	graph := append(graphed(nil), guarded()[3]) // a client of limits, tier and policy
	graph[len(graph)-1].Content = []byte(strings.Replace(string(graph[len(graph)-1].Content), "studies: 2", "graph: 2", 1))
	first, err := with(t, reg, declare.Options{Set: "core"}, append(graph, file("t.yaml", tenantFile+"---\n"+tierFile))...)
	if err != nil {
		t.Fatal(err)
	}
	files := export(t, reg, declare.Selection{})
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if strings.Contains(string(f.Content), string(first.Secrets[0].Secret)) || strings.Contains(string(f.Content), "$postern$") {
			t.Errorf("D-37: a secret is in %s", f.Name)
		}
	}
	want := []string{"tiers.yaml", "policies.yaml", "issuers.yaml", "tenants.yaml", "graph.graphql", "apis.yaml", "clients.yaml"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	dry, err := rehearsed(t, reg, declare.Options{Set: "core"}, files...)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range dry.Items { // they come from other files of the set: nothing else
		if len(item.Differences) != 1 || item.Differences[0].Field != "origin" {
			t.Errorf("%+v", item)
		}
	}
	elsewhere := newRegistry(t)
	if _, err := with(t, elsewhere, declare.Options{Set: "core"}, files...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, export(t, elsewhere, declare.Selection{})); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		of   declare.Selection
		want string
	}{
		"kinds":           {declare.Selection{Kinds: []domain.Kind{domain.KindTier, domain.KindClient}}, "tiers.yaml clients.yaml"},
		"of an issuer":    {declare.Selection{Issuer: "two"}, "tiers.yaml policies.yaml tenants.yaml"},
		"of a tenant":     {declare.Selection{Tenant: "none"}, "tiers.yaml policies.yaml issuers.yaml graph.graphql apis.yaml"},
		"of both, a kind": {declare.Selection{Issuer: "main", Tenant: "11111111-1111-4111-8111-111111111111", Kinds: []domain.Kind{domain.KindClient}}, "clients.yaml"},
	} {
		var got []string
		for _, f := range export(t, elsewhere, c.of) {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// A disabled client stays so wherever it comes to, and what an emergency disables later no
// exported file enables.
func TestExportStatus(t *testing.T) {
	reg := newRegistry(t)
	if _, err := with(t, reg, declare.Options{}, guarded()...); err != nil {
		t.Fatal(err)
	}
	enabled := export(t, reg, declare.Selection{})
	if _, err := reg.DisableClient(t.Context(), by, "main", clientID); err != nil {
		t.Fatal(err)
	}
	before := seq(t, reg)
	if _, err := with(t, reg, declare.Options{}, enabled...); err != nil || seq(t, reg) != before {
		t.Errorf("%v, %d changes", err, seq(t, reg)-before)
	}
	elsewhere := newRegistry(t)
	if _, err := with(t, elsewhere, declare.Options{}, export(t, reg, declare.Selection{})...); err != nil {
		t.Fatal(err)
	}
	if c, err := elsewhere.GetClient(t.Context(), "main", clientID); err != nil || c.Status != domain.Disabled {
		t.Errorf("%+v, %v", c, err)
	}
}

// Many clients come in several files, none too large to be read.
func TestExportSplits(t *testing.T) {
	reg := newRegistry(t)
	var text strings.Builder
	note := strings.Repeat("n", 1900)
	for i := range 600 {
		fmt.Fprintf(&text, "---\nkind: Client\nissuer: main\nid: %08d-2222-4222-8222-222222222222\nname: n\nplatform_wide: true\naudiences: [urn:x]\nnote: %s\n", i, note)
		if i == 300 {
			if _, err := with(t, reg, declare.Options{}, file("a.yaml", issuerFile), file("c.yaml", text.String())); err != nil {
				t.Fatal(err)
			}
			text.Reset()
		}
	}
	if _, err := with(t, reg, declare.Options{}, file("c.yaml", text.String())); err != nil {
		t.Fatal(err)
	}
	files := export(t, reg, declare.Selection{Kinds: []domain.Kind{domain.KindClient}})
	for i, f := range files {
		if want := map[int]string{0: "clients.yaml", 1: "clients-2.yaml", 2: "clients-3.yaml"}[i]; f.Name != want || len(f.Content) > 1<<20 {
			t.Errorf("%s, want %s, of %d bytes", f.Name, want, len(f.Content))
		}
	}
	before := seq(t, reg)
	if r, err := with(t, reg, declare.Options{}, files...); err != nil || len(r.Items) != 600 || seq(t, reg) != before {
		t.Errorf("%d items, %d changes, %v", len(r.Items), seq(t, reg)-before, err)
	}
}

// words are texts that YAML could read as something else.
func words() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]string{"yes", "null", "~", "true", "1", "0x1f", "1e3", "2027-01-31", "- a", "a: b", "#", "'", "\"", "|", ">", "&a", "*a", "!t", "%", "@", "`",
		"{a}", "[a]", " a ", "a #b", "a:", "ü", "\u2028", "\u0085", "\ufeff", "<<", "=", ".", "..", "---", "...", "\U0001F512", "a\\nb", "%41", "?", ":", ",", "NaN", ".inf"})
	return rapid.OneOf(odd, rapid.StringMatching(`[ -~]{1,12}`), rapid.Custom(func(t *rapid.T) string { return odd.Draw(t, "a") + odd.Draw(t, "b") }))
}

func drawTenant(t *rapid.T, i int) domain.Tenant {
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[!-~]{1,6}`).Filter(func(s string) bool { return s != "*" }), 0, 4, rapid.ID)
	tenant := domain.Tenant{ID: fmt.Sprintf("11111111-1111-4111-8111-%012d", i), Label: words().Draw(t, "label")}
	if rapid.Bool().Draw(t, "resources") {
		tenant.Resources = map[string][]string{"study": ids.Draw(t, "studies"), "site": nil}
	}
	switch rapid.IntRange(0, 3).Draw(t, "ceiling") {
	case 1:
		tenant.Ceiling = &domain.Ceiling{}
	case 2:
		tenant.Ceiling = &domain.Ceiling{Scopes: oauth.Scope{}, Policies: []string{"reader"}}
	}
	return tenant
}

func drawClient(t *rapid.T, tenant domain.Tenant) domain.Client {
	c := domain.Client{
		Issuer: rapid.SampledFrom([]string{"main", "fixed"}).Draw(t, "issuer"), Name: words().Draw(t, "name"), Tenant: tenant.ID, Audiences: []string{"urn:b", "urn:a"},
		Owner: words().Draw(t, "owner"), Note: words().Draw(t, "note"), Partner: rapid.Bool().Draw(t, "partner"), Lifetime: domain.Seconds(rapid.Int64Range(0, 3600).Draw(t, "lifetime")),
		Status: rapid.SampledFrom([]domain.Status{"", domain.Enabled, domain.Disabled}).Draw(t, "status"),
	}
	if rapid.Bool().Draw(t, "scopes") {
		c.Scopes = oauth.Scope{}
	}
	if rapid.Bool().Draw(t, "limited") {
		until := time.Date(2099, 1, 2, 3, 4, rapid.IntRange(0, 59).Draw(t, "second"), 567, time.FixedZone("x", 3600))
		c.ValidUntil = &until
		c.Tier = rapid.SampledFrom([]string{"gold", "unlimited"}).Draw(t, "tier")
	}
	if list, ok := tenant.Resources["study"]; ok && tenant.Ceiling == nil {
		c.ResourceScope = domain.ResourceScope{"study": {IDs: list}, "site": {All: rapid.Bool().Draw(t, "all")}}
		c.Policies = []string{"reader"}
	}
	return c
}

// Whatever the registry takes, its export applies to no change, and makes the same
// elsewhere.
func TestExportIsNoChange(t *testing.T) {
	reg, elsewhere := newRegistry(t), newRegistry(t)
	rapid.Check(t, func(r *rapid.T) {
		ground := []declare.File{file("a.yaml", issuerFile+"---\nkind: Issuer\nname: fixed\nurl: https://fixed.example.com\ndialect: vibes\n---\n"+tierFile)}
		if _, err := with(t, reg, declare.Options{}, ground...); err != nil {
			r.Fatal(err)
		}
		policy := domain.Policy{Name: "reader", Label: words().Draw(r, "policy"), Actions: map[string]string{"a:b": words().Draw(r, "action")}}
		if _, _, err := reg.PutPolicy(t.Context(), by, policy, 0); err != nil {
			t.Logf("refused: %v", err)
			policy.Label, policy.Actions["a:b"] = "", "x"
			if _, _, err := reg.PutPolicy(t.Context(), by, policy, 0); err != nil {
				r.Fatal(err)
			}
		}
		for i := range 3 {
			tenant, _, err := reg.PutTenant(t.Context(), by, drawTenant(r, i), 0)
			if err != nil {
				continue // it is no tenant
			}
			for range 2 {
				_, _, _ = reg.CreateClient(t.Context(), by, drawClient(r, tenant)) // or it is no client
			}
		}
		before := seqOf(r, reg)
		files := export(t, reg, declare.Selection{})
		done, err := with(t, reg, declare.Options{}, files...)
		if err != nil || seqOf(r, reg) != before {
			r.Fatalf("%v, %d changes: %s\n%s", err, seqOf(r, reg)-before, told(done), bytes.Join(contents(files), nil))
		}
		if _, err := with(t, elsewhere, declare.Options{Set: "core"}, files...); err != nil {
			r.Fatal(err)
		}
		if again := export(t, elsewhere, declare.Selection{}); !slices.EqualFunc(contents(files), contents(again), bytes.Equal) {
			r.Fatal(cmp.Diff(files, again))
		}
		// Every object becomes the set's, and goes with it: the next round begins with none.
		if _, err := with(t, reg, declare.Options{Set: "core"}, files...); err != nil {
			r.Fatal(err)
		}
		for _, one := range []*registry.Registry{reg, elsewhere} {
			if _, err := with(t, one, declare.Options{Set: "core", Prune: true, PruneAll: true}); err != nil {
				r.Fatal(err)
			}
			if left := export(t, one, declare.Selection{}); left != nil {
				r.Fatalf("left are %s", left[0].Name)
			}
		}
	})
}

func seqOf(r *rapid.T, reg *registry.Registry) domain.Seq {
	h, err := reg.Store.Head(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return h.Seq
}

func contents(files []declare.File) (list [][]byte) {
	for _, f := range files {
		list = append(list, f.Content)
	}
	return list
}
