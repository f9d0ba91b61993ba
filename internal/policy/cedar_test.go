package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/policy"
)

// The words that policies are generated from: few, so that they meet.
var (
	actionWords = []string{"read", "write", "delete"}
	kindWords   = []string{"study", "site"}
	idWords     = []string{"1", "2", "*", `a"b`}
)

// Decisions are those of Cedar: each of our policies is one permit of its actions,
// in the client's resource scope; a token's binding is a forbid of all else. A
// request passes if Cedar allows every action it needs on every resource it touches.
func TestDecisionsAreCedars(t *testing.T) { // issue 3, DESIGN §11
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		h := policy.Held{Resources: drawScope(t, "held")}
		for n := range rapid.IntRange(0, 3).Draw(t, "policies") {
			h.Policies = append(h.Policies, policy.Policy{Name: fmt.Sprint("p", n), Actions: subset(t, "actions", actionWords)})
		}
		said := &policy.Said{Resources: drawScope(t, "bound")}
		need := policy.Need{Actions: rapid.SliceOfNDistinct(rapid.SampledFrom(actionWords), 1, 3, rapid.ID).Draw(t, "needs")}
		for range rapid.IntRange(1, 3).Draw(t, "resources") {
			need.Resources = append(need.Resources, drawResource(t))
		}
		rights := policy.Compile(h)
		got := rights.Decide(&need, said)
		checkEffective(t, rights, said)
		if want := cedarAllows(t, h, said, need); got.Allowed != want {
			t.Fatalf("ours %+v, Cedar %t\n%s", got, want, cedarText(h, said))
		}
		if got.Allowed {
			allowed++
		}
	})
	if allowed == 0 {
		t.Error("nothing was ever allowed: the generator says nothing")
	}
}

func subset(t *rapid.T, label string, of []string) []string {
	var s []string
	for _, v := range of {
		if rapid.Bool().Draw(t, label+" "+v) {
			s = append(s, v)
		}
	}
	return s
}

func drawScope(t *rapid.T, label string) policy.ResourceScope {
	s := policy.ResourceScope{}
	for _, kind := range kindWords {
		switch rapid.IntRange(0, 3).Draw(t, label+" "+kind) {
		case 0:
		case 1:
			s[kind] = policy.Resources{All: true}
		default:
			s[kind] = policy.Resources{IDs: subset(t, label+" "+kind, idWords)}
		}
	}
	return s
}

func drawResource(t *rapid.T) policy.Resource {
	r := policy.Resource{Kind: rapid.SampledFrom(kindWords).Draw(t, "kind"), All: rapid.IntRange(0, 5).Draw(t, "all") == 0}
	if !r.All {
		r.ID = rapid.SampledFrom(idWords).Draw(t, "id")
	}
	return r
}

// checkEffective: what upstreams are told of where a request may act is where it may.
func checkEffective(t *rapid.T, rights *policy.Rights, said *policy.Said) {
	effective := rights.Resources(said)
	for _, kind := range kindWords {
		for _, id := range append(idWords, "another") {
			need := policy.Need{Resources: []policy.Resource{{Kind: kind, ID: id}}}
			if may := rights.Decide(&need, said).Allowed; may != effective.Holds(kind, id) {
				t.Fatalf("%s %s: allowed %t, effective %+v", kind, id, may, effective)
			}
		}
		r, there := effective[kind]
		need := policy.Need{Resources: []policy.Resource{{Kind: kind, All: true}}}
		if may := rights.Decide(&need, said).Allowed; r.All && !may {
			t.Fatalf("all of %s: refused, effective %+v", kind, effective)
		} else if may && there && !r.All {
			t.Fatalf("all of %s: allowed, effective %+v", kind, effective)
		}
		if there && !r.All && len(r.IDs) == 0 {
			t.Fatalf("%s: none is written as some: %+v", kind, effective)
		}
	}
}

// entity is a resource in Cedar: a member of its kind, and the kind itself stands for
// all of it.
func entity(r policy.Resource) cedar.EntityUID {
	if r.All {
		return cedar.NewEntityUID("Kind", cedar.String(r.Kind))
	}
	return cedar.NewEntityUID("Resource", cedar.String(r.Kind+"/"+r.ID))
}

// within is the condition that the resource lies in the scope.
func within(s policy.ResourceScope) string {
	parts := []string{"false"}
	for _, kind := range s.Kinds() {
		if s[kind].All {
			parts = append(parts, fmt.Sprintf("resource in Kind::%q", kind))
		}
		for _, id := range s[kind].IDs {
			parts = append(parts, fmt.Sprintf("resource == Resource::%q", kind+"/"+id))
		}
	}
	return strings.Join(parts, " || ")
}

func cedarText(h policy.Held, said *policy.Said) string {
	var b strings.Builder
	for _, p := range h.Policies {
		var actions []string
		for _, a := range p.Actions {
			actions = append(actions, fmt.Sprintf("Action::%q", a))
		}
		fmt.Fprintf(&b, "permit (principal == Client::\"c\", action in [%s], resource) when { %s };\n", strings.Join(actions, ", "), within(h.Resources))
	}
	for _, kind := range said.Resources.Kinds() {
		narrowed := policy.ResourceScope{kind: said.Resources[kind]}
		fmt.Fprintf(&b, "forbid (principal, action, resource in Kind::%q) unless { %s };\n", kind, within(narrowed))
	}
	return b.String()
}

func cedarAllows(t *rapid.T, h policy.Held, said *policy.Said, need policy.Need) bool {
	set, err := cedar.NewPolicySetFromBytes("p.cedar", []byte(cedarText(h, said)))
	if err != nil {
		t.Fatalf("%v\n%s", err, cedarText(h, said))
	}
	entities := cedar.EntityMap{}
	for _, r := range need.Resources {
		parents := cedar.NewEntityUIDSet()
		if !r.All {
			parents = cedar.NewEntityUIDSet(cedar.NewEntityUID("Kind", cedar.String(r.Kind)))
		}
		entities[entity(r)] = cedar.Entity{UID: entity(r), Parents: parents}
	}
	for _, a := range need.Actions {
		for _, r := range need.Resources {
			decision, diagnostic := cedar.Authorize(set, entities, cedar.Request{
				Principal: cedar.NewEntityUID("Client", "c"), Action: cedar.NewEntityUID("Action", cedar.String(a)), Resource: entity(r)})
			if len(diagnostic.Errors) > 0 {
				t.Fatalf("%v", diagnostic.Errors)
			}
			if decision != cedar.Allow {
				return false
			}
		}
	}
	return true
}
