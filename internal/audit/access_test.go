package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// replay is a world that is changed step by step, and what it was after each.
type replay struct {
	clients  map[string]domain.Client
	tenants  map[string]domain.Tenant
	policies map[string]domain.Policy
	api      *domain.API
	feed     []domain.Change
	were     []replay // after each change, without feed and were
}

func newReplay() *replay {
	return &replay{clients: map[string]domain.Client{}, tenants: map[string]domain.Tenant{}, policies: map[string]domain.Policy{}}
}

// change appends one; v is nil where the object was deleted.
func (w *replay) change(at time.Time, kind domain.Kind, key, action string, v any) {
	c := domain.Change{Seq: domain.Seq(len(w.feed) + 1), Kind: kind, Key: key, Action: action, Actor: "local:0", Time: at}
	if v != nil {
		c.Version = 1
		c.Object, _ = json.Marshal(v) // no value here fails
	}
	w.feed = append(w.feed, c)
	w.were = append(w.were, replay{clients: maps.Clone(w.clients), tenants: maps.Clone(w.tenants), policies: maps.Clone(w.policies), api: w.api})
}

func (w *replay) Follow(_ context.Context, after domain.Seq, limit int) ([]domain.Change, error) {
	return w.feed[after:min(len(w.feed), int(after)+limit)], nil
}

func (w *replay) Head(context.Context) (domain.Head, error) {
	return domain.Head{Seq: domain.Seq(len(w.feed))}, nil
}

// at is the world at a time, nil before the first change.
func (w *replay) at(t time.Time) *replay {
	for i := len(w.feed) - 1; i >= 0; i-- {
		if !w.feed[i].Time.After(t) {
			return &w.were[i]
		}
	}
	return nil
}

// rights are what nodes decide by.
func (w *replay) rights(c *domain.Client) *policy.Rights {
	compiled := map[string]policy.Policy{}
	for name, o := range w.policies {
		compiled[name] = o.Compiled()
	}
	var tenant *domain.Tenant
	if t, ok := w.tenants[c.Tenant]; ok {
		tenant = &t
	}
	return policy.Compile(c.Held(tenant, compiled))
}

// The words that worlds are made of.
var (
	wordActions = []string{"studies:read", "studies:write", "sites:write"}
	wordIDs     = []string{"s1", "s2"}
	wordScopes  = []string{"read", "write"}
	wordTenants = []string{"t1", "t2"}
	wordNames   = []string{"p1", "p2", "p3"}
	wordClients = []string{"a", "b", "c"}
)

func theAPI() *domain.API {
	return &domain.API{Name: "lab", Audience: "urn:lab", Issuers: []string{"main"}, Routes: []domain.Route{
		{Method: "GET", Path: "/studies/{study}", Actions: wordActions[:1], Scopes: wordScopes[:1], Parameters: []policy.Parameter{{Name: "study", In: policy.InPath, Kind: "study"}}},
		{Method: "POST", Path: "/studies", Actions: wordActions[1:2]},
		{Method: "PUT", Path: "/sites/{site}", Actions: wordActions[2:], Tags: []string{"sites"}, Parameters: []policy.Parameter{{Name: "site", In: policy.InPath, Kind: "site"}}},
	}}
}

// drawn subsets.
func some(t *rapid.T, label string, of []string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID).Draw(t, label)
}

func drawScope(t *rapid.T) domain.ResourceScope {
	scope := domain.ResourceScope{}
	for _, kind := range []string{"study", "site"} {
		switch rapid.IntRange(0, 3).Draw(t, kind) {
		case 0:
			scope[kind] = domain.Resources{All: true}
		case 1, 2:
			scope[kind] = domain.Resources{IDs: some(t, "ids", wordIDs)}
		}
	}
	return scope
}

func drawClient(t *rapid.T, id string, now time.Time) domain.Client {
	c := domain.Client{
		Issuer: "main", ID: id, Status: domain.Enabled, Audiences: []string{"urn:lab"}, Tier: "standard", ResourceScope: drawScope(t),
		Scopes: some(t, "scopes", wordScopes), Policies: some(t, "policies", wordNames), Tenant: rapid.SampledFrom(wordTenants).Draw(t, "tenant"),
	}
	if rapid.IntRange(0, 3).Draw(t, "wide") == 0 {
		c.Tenant, c.PlatformWide = "", true
	}
	if rapid.IntRange(0, 4).Draw(t, "disabled") == 0 {
		c.Status = domain.Disabled
	}
	if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
		end := now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "end")) * time.Second)
		c.ValidUntil = &end
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "secrets") {
		end := now.Add(time.Duration(rapid.IntRange(-2, 5).Draw(t, "expires")) * time.Second)
		c.Secrets = append(c.Secrets, domain.Secret{ID: fmt.Sprint(i), Created: now, Expires: &end})
	}
	return c
}

func drawTenant(t *rapid.T, id string) domain.Tenant {
	o := domain.Tenant{ID: id, Label: "Tenant " + id, Endpoints: some(t, "endpoints", []string{"sites"}), Resources: map[string][]string{}}
	for _, kind := range []string{"study", "site"} {
		if rapid.Bool().Draw(t, "lists "+kind) {
			o.Resources[kind] = some(t, kind, wordIDs)
		}
	}
	if rapid.Bool().Draw(t, "ceiling") {
		o.Ceiling = &domain.Ceiling{Scopes: some(t, "ceiling scopes", wordScopes), Policies: some(t, "ceiling policies", wordNames)}
	}
	return o
}

func drawPolicy(t *rapid.T, name string) domain.Policy {
	o := domain.Policy{Name: name, Actions: map[string]string{}}
	for _, a := range some(t, "actions", wordActions) {
		o.Actions[a] = "may " + a
	}
	return o
}

// step changes something.
func (w *replay) step(t *rapid.T, at time.Time) {
	del := rapid.IntRange(0, 4).Draw(t, "delete") == 0
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0:
		id := rapid.SampledFrom(wordTenants).Draw(t, "tenant")
		if _, there := w.tenants[id]; there && del {
			delete(w.tenants, id)
			w.change(at, domain.KindTenant, id, "tenant.delete", nil)
			return
		}
		w.tenants[id] = drawTenant(t, id)
		w.change(at, domain.KindTenant, id, "tenant.put", w.tenants[id])
	case 1, 2:
		name := rapid.SampledFrom(wordNames).Draw(t, "policy")
		if _, there := w.policies[name]; there && del {
			delete(w.policies, name)
			w.change(at, domain.KindPolicy, name, "policy.delete", nil)
			return
		}
		w.policies[name] = drawPolicy(t, name)
		w.change(at, domain.KindPolicy, name, "policy.put", w.policies[name])
	case 3:
		w.change(at, domain.KindPerson, "somebody", "person.update", map[string]string{"name": "x"})
	default:
		id := rapid.SampledFrom(wordClients).Draw(t, "client")
		if _, there := w.clients[id]; there && del {
			delete(w.clients, id)
			w.change(at, domain.KindClient, "main/"+id, "client.delete", nil)
			w.change(at, domain.KindTombstone, "main/"+id, "client.delete", map[string]string{"id": id})
			return
		}
		w.clients[id] = drawClient(t, id, at)
		w.change(at, domain.KindClient, "main/"+id, "client.put", w.clients[id])
	}
}

func everywhere() domain.Reach { return domain.Reach{AllTenants: true, AllIssuers: true} }

// What could be done at a time is what a world that is replayed up to then says, by the code
// that nodes decide with.
func TestAccessIsReplayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newReplay()
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		w.change(now, domain.KindIssuer, "main", "issuer.create", domain.Issuer{Name: "main"})
		w.api = theAPI()
		w.change(now, domain.KindAPI, "lab", "api.create", w.api)
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "passes")) * time.Second) // clocks go back, too
			w.step(t, now)
		}
		for range 8 {
			at := w.feed[rapid.IntRange(0, len(w.feed)-1).Draw(t, "at")].Time.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside")) * time.Millisecond)
			then := w.at(at)
			if then == nil {
				if _, err := audit.AccessOfClient(t.Context(), w, at, "main", "a", everywhere()); !errors.Is(err, audit.ErrBeforeHistory) {
					t.Fatalf("before everything: %v", err)
				}
				continue
			}
			for _, id := range wordClients {
				checkClient(t, w, then, at, id)
			}
			checkResource(t, w, then, at)
		}
	})
}

func checkClient(t *rapid.T, w, then *replay, at time.Time, id string) {
	a, err := audit.AccessOfClient(t.Context(), w, at, "main", id, everywhere())
	c, there := then.clients[id]
	if !there {
		if err == nil && a.Standing != audit.StandingDeleted || err != nil && !errors.Is(err, domain.ErrNotFound) {
			t.Fatalf("client %s at %s is not there: %+v, %v", id, at, a, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if alive := a.Standing == audit.StandingEnabled; alive != c.Alive(at) {
		t.Fatalf("client %s at %s: %s", id, at, a.Standing)
	}
	live := 0
	for _, s := range c.Secrets {
		if at.Before(*s.Expires) {
			live++
		}
	}
	if len(a.Secrets) != live {
		t.Fatalf("%d secrets, want %d", len(a.Secrets), live)
	}
	rights := then.rights(&c)
	said := policy.Said{Scopes: wordScopes}
	may := func(n policy.Need) bool { return rights.Decide(&n, &said).Allowed }
	for _, action := range wordActions {
		has := slices.ContainsFunc(a.Policies, func(p audit.PolicyAccess) bool {
			return !p.Outside && !p.Absent && slices.ContainsFunc(p.Actions, func(one audit.ActionAccess) bool { return one.Name == action && one.Description == "may "+action })
		})
		if has != may(policy.Need{Actions: []string{action}}) {
			t.Fatalf("client %s at %s: action %s: %t\n%+v", id, at, action, has, a)
		}
	}
	for _, scope := range wordScopes {
		if has := slices.Contains(a.Scopes, scope); has != may(policy.Need{Scopes: []string{scope}}) {
			t.Fatalf("client %s at %s: scope %s: %t", id, at, scope, has)
		}
	}
	for _, kind := range []string{"study", "site"} {
		for _, r := range []policy.Resource{{Kind: kind, ID: "s1"}, {Kind: kind, ID: "s2"}, {Kind: kind, All: true}} {
			has := a.Resources[kind].All || !r.All && a.Resources.Holds(kind, r.ID)
			if has != may(policy.Need{Resources: []policy.Resource{r}}) {
				t.Fatalf("client %s at %s: %+v: %t, %+v", id, at, r, has, a.Resources)
			}
		}
	}
}

// checkResource asks the routes themselves, by a call of each.
func checkResource(t *rapid.T, w, then *replay, at time.Time) {
	table, err := policy.NewTable(then.api.Routes)
	if err != nil {
		t.Fatal(err)
	}
	for kind, calls := range map[string]map[string]string{
		"study": {"GET": "/studies/s1", "POST": "/studies"}, "site": {"PUT": "/sites/s1", "POST": "/studies"},
	} {
		a, err := audit.AccessToResource(t.Context(), w, at, kind, "s1", everywhere())
		if err != nil {
			t.Fatal(err)
		}
		want, got := []string{}, []string{}
		for _, id := range wordClients {
			c, there := then.clients[id]
			if !there || !c.Alive(at) {
				continue
			}
			for method, path := range calls {
				m, ok := table.Match(method, path)
				if !ok {
					t.Fatal(path)
				}
				need, err := m.Need(nil, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				if then.rights(&c).Decide(&need, &policy.Said{Scopes: c.Scopes}).Allowed {
					want = append(want, id+" "+method+" "+m.Route().Path)
				}
			}
		}
		for _, c := range a.Clients {
			for _, api := range c.APIs {
				for _, r := range api.Routes {
					got = append(got, c.ID+" "+r)
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("%s s1 at %s: %q, want %q", kind, at, got, want)
		}
	}
}

// D-102: who may not see a client is told what those are told who ask of one that never was.
func TestAccessWithinReach(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := newReplay()
	w.change(now, domain.KindIssuer, "main", "issuer.create", domain.Issuer{Name: "main"})
	w.api = theAPI()
	w.change(now, domain.KindAPI, "lab", "api.create", w.api)
	w.change(now, domain.KindPolicy, "p1", "policy.create", domain.Policy{Name: "p1", Actions: map[string]string{"studies:read": "Read studies."}})
	for _, tenant := range wordTenants {
		w.change(now, domain.KindTenant, tenant, "tenant.create", domain.Tenant{ID: tenant, Resources: map[string][]string{"study": {"s1"}}})
		w.change(now, domain.KindClient, "main/"+tenant+"c", "client.create", domain.Client{
			Issuer: "main", ID: tenant + "c", Tenant: tenant, Status: domain.Enabled, Audiences: []string{"urn:lab"}, Policies: []string{"p1"}, Scopes: oauth.Scope{"read"},
			ResourceScope: domain.ResourceScope{"study": {IDs: []string{"s1"}}},
		})
	}
	of := func(tenant, issuer string) domain.Reach {
		return domain.Reach{Tenants: []string{tenant}, Issuers: []string{issuer}}
	}
	a, err := audit.AccessOfClient(t.Context(), w, now, "main", "t1c", of("t1", "main"))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "APIs", a.APIs, []audit.APIAccess{{Name: "lab", PerMinute: 600, Routes: []string{"GET /studies/{study}"}, Actions: []audit.ActionAccess{{"studies:read", "Read studies."}}}})
	_, never := audit.AccessOfClient(t.Context(), w, now, "main", "t9c", everywhere())
	for _, r := range []domain.Reach{of("t2", "main"), of("t1", "other"), {AllTenants: true}, {AllIssuers: true}, {}} {
		_, err := audit.AccessOfClient(t.Context(), w, now, "main", "t1c", r)
		if !errors.Is(err, domain.ErrNotFound) || len(err.Error()) != len(never.Error()) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	r, err := audit.AccessToResource(t.Context(), w, now, "study", "s1", of("t2", "main"))
	if err != nil || len(r.Clients) != 1 || r.Clients[0].ID != "t2c" {
		t.Errorf("%+v, %v", r, err)
	}
}
