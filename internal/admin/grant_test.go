package admin_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// world is what a client and its tenant hold in one round.
type world struct {
	Scopes    []string             `json:"scopes"`
	Policies  []string             `json:"policies"`
	Resources domain.ResourceScope `json:"resource_scope"`

	endpoints []string
	resources map[string][]string
	ceiling   *domain.Ceiling
}

func drawWorld(t *rapid.T) world {
	some := func(name string, of ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID).Draw(t, name)
	}
	w := world{
		Scopes: some("scopes", "a", "b"), Policies: some("policies", "reader", "wide", "money"), Resources: domain.ResourceScope{},
		endpoints: some("endpoints", "lookup", "cancel"), resources: map[string][]string{"team": {}},
	}
	for _, kind := range []string{"study", "site"} {
		lists := rapid.Bool().Draw(t, "tenant lists "+kind)
		if lists {
			w.resources[kind] = some("of the tenant "+kind, "s1", "s2", "7")
		}
		switch {
		case rapid.Bool().Draw(t, "all of "+kind):
			w.Resources[kind] = domain.Resources{All: true}
		case len(w.resources[kind]) > 0:
			w.Resources[kind] = domain.Resources{IDs: some("held "+kind, w.resources[kind]...)}
		}
		if r := w.Resources[kind]; !r.All && len(r.IDs) == 0 {
			delete(w.Resources, kind)
		}
	}
	if rapid.Bool().Draw(t, "ceiling") {
		w.ceiling = &domain.Ceiling{Scopes: some("ceiling scopes", "a", "b"), Policies: some("ceiling policies", "reader", "wide", "money")}
	}
	return w
}

// put makes the world what it is. The tenant first loses its ceiling, so that nothing the client
// gets is above it.
func (w world) put(t *rapid.T, conn *admin.Conn) {
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	raw := func(v any) json.RawMessage {
		text, err := json.Marshal(v)
		check(err)
		return text
	}
	wide := map[string][]string{"study": {"s1", "s2", "7"}, "site": {"s1", "s2", "7"}, "team": {}}
	_, err := conn.UpdateTenant(t.Context(), tenantID, 0, admin.Patch{"ceiling": raw(nil), "resources": raw(wide)})
	check(err)
	_, err = conn.UpdateClient(t.Context(), "main", shop, 0, admin.Patch{"scopes": raw(w.Scopes), "policies": raw(w.Policies), "resource_scope": raw(w.Resources)})
	check(err)
	_, err = conn.UpdateTenant(t.Context(), tenantID, 0, admin.Patch{"ceiling": raw(w.ceiling), "resources": raw(w.resources), "endpoints": raw(w.endpoints)})
	check(err)
}

// item is one thing of a grant.
type item struct{ what, kind, value string }

func itemsOf(g *admin.Grant) (list []item) {
	add := func(what, kind string, values []string) {
		for _, v := range values {
			list = append(list, item{what, kind, v})
		}
	}
	add("scope", "", g.Scopes)
	add("policy", "", g.Policies)
	for _, kind := range g.Resources.Kinds() {
		if g.Resources[kind].All {
			add("all", kind, []string{""})
		}
		add("resource", kind, g.Resources[kind].IDs)
	}
	add("tenant endpoint", "", g.Tenant.Endpoints)
	add("ceiling scope", "", g.Tenant.Scopes)
	add("ceiling policy", "", g.Tenant.Policies)
	for _, kind := range slices.Sorted(maps.Keys(g.Tenant.Resources)) {
		add("tenant resource", kind, g.Tenant.Resources[kind])
	}
	return list
}

func (w world) with(items []item) world {
	w.Resources, w.resources = maps.Clone(w.Resources), maps.Clone(w.resources)
	if w.ceiling != nil {
		c := *w.ceiling
		w.ceiling = &c
	}
	for _, i := range items {
		held := w.Resources[i.kind]
		switch i.what {
		case "scope":
			w.Scopes = append(slices.Clone(w.Scopes), i.value)
		case "policy":
			w.Policies = append(slices.Clone(w.Policies), i.value)
		case "all":
			w.Resources[i.kind] = domain.Resources{All: true}
		case "resource":
			w.Resources[i.kind] = domain.Resources{All: held.All, IDs: append(slices.Clone(held.IDs), i.value)}
		case "tenant endpoint":
			w.endpoints = append(slices.Clone(w.endpoints), i.value)
		case "ceiling scope":
			w.ceiling.Scopes = append(slices.Clone(w.ceiling.Scopes), i.value)
		case "ceiling policy":
			w.ceiling.Policies = append(slices.Clone(w.ceiling.Policies), i.value)
		case "tenant resource":
			w.resources[i.kind] = append(slices.Clone(w.resources[i.kind]), i.value)
		}
	}
	return w
}

// What is told as the least grant is enough, and nothing of it can be left out.
func TestGrantIsEnoughAndNoMore(t *testing.T) {
	conn, _ := explaining(t)
	calls := []admin.Call{
		graphCall(`{ studies(ids: ["s1", "s2"]) { cost } }`), graphCall(`{ either none scoped }`), graphCall(`{ either study(id: "7") { id } site(id: "7") }`),
		graphCall(`{ all { cost } scoped }`), restCall("GET", "/studies/s1"), restCall("GET", "/studies/7"), restCall("GET", "/open"),
		restCall("POST", "/anything"),
	}
	counts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		call := rapid.SampledFrom(calls).Draw(t, "call")
		w := drawWorld(t)
		explain := func(w world) admin.Explained {
			w.put(t, conn)
			e, err := conn.Explain(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		e := explain(w)
		switch {
		case e.Allowed:
			counts["allowed"]++
			return
		case e.Grant == nil:
			t.Fatalf("refused as %s without a grant", e.Reason)
		case len(e.Grant.Not) > 0:
			counts["not"]++
			return
		}
		counts["granted"]++
		items := itemsOf(e.Grant)
		if after := explain(w.with(items)); !after.Allowed {
			t.Fatalf("%s: granted %+v, still refused: %s", strings.TrimSpace(call.Query+call.Path), items, after.Why)
		}
		i := rapid.IntRange(0, len(items)-1).Draw(t, "left out")
		if explain(w.with(slices.Delete(slices.Clone(items), i, i+1))).Allowed {
			t.Fatalf("%s: granted %+v, but passes without %v", call.Query+call.Path, items, items[i])
		}
	})
	for _, what := range []string{"allowed", "granted", "not"} {
		if counts[what] == 0 {
			t.Errorf("nothing was ever %s: %v", what, counts)
		}
	}
}
