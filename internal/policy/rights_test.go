package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/policy"
)

func held() policy.Held {
	return policy.Held{
		Scopes: []string{"api:read", "api:write"},
		Policies: []policy.Policy{
			{Name: "reader", Actions: []string{"studies:read", "sites:read"}},
			{Name: "writer", Actions: []string{"studies:write"}},
		},
		Resources: policy.ResourceScope{"study": {IDs: []string{"1", "2"}}, "site": {All: true}, "team": {IDs: []string{"*"}}, "org": {IDs: []string{"a", "b"}}},
		Endpoints: []string{"bookings"},
	}
}

func TestDecide(t *testing.T) { // TRI-08..10, BIP-05, BIP-09, OMN-06, ARB-06, COM-12
	both := &policy.Said{Scopes: []string{"api:read", "api:write"}}
	study := func(ids ...string) []policy.Resource {
		var all []policy.Resource
		for _, id := range ids {
			all = append(all, policy.Resource{Kind: "study", ID: id})
		}
		return all
	}
	for _, tc := range []struct {
		name string
		need policy.Need
		said *policy.Said
		want policy.Decision
	}{
		{"nothing needed", policy.Need{}, both, policy.Decision{Allowed: true}},
		{"actions of two policies", policy.Need{Actions: []string{"studies:write", "sites:read"}}, both, policy.Decision{Allowed: true}},
		{"action missing", policy.Need{Actions: []string{"studies:read", "studies:delete"}}, both,
			policy.Decision{Reason: policy.ActionMissing, Missing: "studies:delete"}},
		{"action by prefix only", policy.Need{Actions: []string{"studies:"}}, both, policy.Decision{Reason: policy.ActionMissing, Missing: "studies:"}},
		{"scope held and said", policy.Need{Scopes: []string{"api:read"}}, both, policy.Decision{Allowed: true}},
		{"scope held, not said", policy.Need{Scopes: []string{"api:write"}}, &policy.Said{Scopes: []string{"api:read"}},
			policy.Decision{Reason: policy.ScopeMissing, Missing: "api:write"}},
		{"COM-12 scope said, no longer held", policy.Need{Scopes: []string{"admin:read"}}, &policy.Said{Scopes: []string{"admin:read"}},
			policy.Decision{Reason: policy.ScopeMissing, Missing: "admin:read"}},
		{"resources inside", policy.Need{Resources: study("1", "2")}, both, policy.Decision{Allowed: true}},
		{"one of them outside", policy.Need{Resources: study("1", "3")}, both,
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "3"}}},
		{"another spelling", policy.Need{Resources: study("01")}, both,
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "01"}}},
		{"kind not held", policy.Need{Resources: []policy.Resource{{Kind: "note", ID: "1"}}}, both,
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "note", ID: "1"}}},
		{"all held, one needed", policy.Need{Resources: []policy.Resource{{Kind: "site", ID: "9"}}}, both, policy.Decision{Allowed: true}},
		{"all held, all needed", policy.Need{Resources: []policy.Resource{{Kind: "site", All: true}}}, both, policy.Decision{Allowed: true}},
		{"some held, all needed", policy.Need{Resources: []policy.Resource{{Kind: "study", All: true}}}, both,
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", All: true}}},
		{"an id * is not all", policy.Need{Resources: []policy.Resource{{Kind: "team", ID: "1"}}}, both,
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "team", ID: "1"}}},
		{"BIP-09 bound to one", policy.Need{Resources: study("2")}, &policy.Said{Resources: policy.ResourceScope{"study": {IDs: []string{"1"}}}},
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "2"}}},
		{"bound to what is not held", policy.Need{Resources: study("3")}, &policy.Said{Resources: policy.ResourceScope{"study": {IDs: []string{"3"}}}},
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "3"}}},
		{"BIP-05 bound to none", policy.Need{Resources: study("1")}, &policy.Said{Resources: policy.ResourceScope{"study": {}}},
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "1"}}},
		{"bound to one of all held, all needed", policy.Need{Resources: []policy.Resource{{Kind: "site", All: true}}},
			&policy.Said{Resources: policy.ResourceScope{"site": {IDs: []string{"1"}}}},
			policy.Decision{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "site", All: true}}},
		{"endpoint enabled", policy.Need{Endpoints: []string{"bookings"}}, both, policy.Decision{Allowed: true}},
		{"OMN-06 one of two not enabled", policy.Need{Endpoints: []string{"bookings", "cancel"}}, both,
			policy.Decision{Reason: policy.EndpointDisabled, Missing: "cancel"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := policy.Compile(held()).Decide(&tc.need, tc.said); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

// What upstreams are told: no more than what is held, and no more than what is said.
func TestEffective(t *testing.T) { // COM-12
	r := policy.Compile(held())
	for _, tc := range []struct {
		name   string
		said   policy.Said
		scopes []string
		want   policy.ResourceScope
	}{
		{"nothing narrowed", policy.Said{Scopes: []string{"api:write", "api:read"}}, []string{"api:write", "api:read"}, held().Resources},
		{"nothing said", policy.Said{}, nil, held().Resources},
		{"more said than held", policy.Said{Scopes: []string{"x", "api:read", "y", "api:write"}, Resources: policy.ResourceScope{"note": {IDs: []string{"1"}}, "study": {All: true}}},
			[]string{"api:read", "api:write"}, held().Resources},
		{"bound", policy.Said{Resources: policy.ResourceScope{"study": {IDs: []string{"2", "3"}}, "site": {IDs: []string{"7"}}, "team": {}, "org": {IDs: []string{"c"}}}},
			nil, policy.ResourceScope{"study": {IDs: []string{"2"}}, "site": {IDs: []string{"7"}}}},
		{"some on both sides", policy.Said{Resources: policy.ResourceScope{"study": {}, "site": {}, "team": {}, "org": {IDs: []string{"b", "c"}}}},
			nil, policy.ResourceScope{"org": {IDs: []string{"b"}}}},
		{"nothing on both sides", policy.Said{Resources: policy.ResourceScope{"study": {}, "site": {}, "team": {}, "org": {IDs: []string{"c"}}}},
			nil, policy.ResourceScope{}},
	} {
		if diff := cmp.Diff(tc.scopes, r.Scopes(&tc.said)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
		if diff := cmp.Diff(tc.want, r.Resources(&tc.said)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// A client of no tenant is not asked for endpoints.
func TestEveryEndpoint(t *testing.T) {
	need := policy.Need{Endpoints: []string{"bookings", "cancel"}}
	if d := policy.Compile(policy.Held{EveryEndpoint: true}).Decide(&need, &policy.Said{}); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

// Nothing held, nothing allowed; and what is decided by is a copy.
func TestFailClosed(t *testing.T) {
	var none policy.Rights
	if d := none.Decide(&policy.Need{Actions: []string{"a"}}, &policy.Said{}); d.Allowed {
		t.Error("rights of nobody allow something")
	}
	h := held()
	r := policy.Compile(h)
	h.Resources["study"].IDs[0], h.Policies[0].Actions[0] = "9", "everything"
	if d := r.Decide(&policy.Need{Actions: []string{"everything"}, Resources: []policy.Resource{{Kind: "study", ID: "9"}}}, &policy.Said{}); d.Allowed {
		t.Error("rights changed after they were compiled")
	}
}

func BenchmarkDecide(b *testing.B) {
	r := policy.Compile(held())
	need := policy.Need{Scopes: []string{"api:read"}, Actions: []string{"studies:read"}, Resources: []policy.Resource{{Kind: "study", ID: "2"}, {Kind: "site", ID: "7"}}}
	said := &policy.Said{Scopes: []string{"api:read"}, Resources: policy.ResourceScope{"study": {IDs: []string{"2"}}}}
	b.ReportAllocs()
	for b.Loop() {
		if !r.Decide(&need, said).Allowed {
			b.Fatal("refused")
		}
	}
}
