package policy

import "slices"

// Policy is a named set of actions.
type Policy struct {
	Name    string
	Actions []string
}

// Held is what a client holds now.
type Held struct {
	Scopes    []string // OAuth scopes
	Policies  []Policy // their actions are added up
	Resources ResourceScope
	Endpoints []string // route tags that are enabled for its tenant
	// EveryEndpoint says that tags are not asked of it: it is of no tenant.
	EveryEndpoint bool
}

// Rights are what is held, made ready to decide by. They do not change; the zero
// value holds nothing.
type Rights struct {
	scopes, actions, endpoints set
	everyEndpoint              bool
	resources                  map[string]scoped
	scope                      ResourceScope // the same as resources
}

type set map[string]struct{}

type scoped struct {
	all bool
	ids set
}

// Compile makes rights out of what is held.
func Compile(h Held) *Rights {
	r := &Rights{
		scopes: setOf(h.Scopes), endpoints: setOf(h.Endpoints), everyEndpoint: h.EveryEndpoint, actions: set{},
		resources: make(map[string]scoped, len(h.Resources)), scope: make(ResourceScope, len(h.Resources)),
	}
	for _, p := range h.Policies {
		for _, a := range p.Actions {
			r.actions[a] = struct{}{}
		}
	}
	for kind, held := range h.Resources {
		r.resources[kind] = scoped{held.All, setOf(held.IDs)}
		if held.some() {
			r.scope[kind] = Resources{All: held.All, IDs: slices.Clone(held.IDs)}
		}
	}
	return r
}

func setOf(list []string) set {
	s := make(set, len(list))
	for _, v := range list {
		s[v] = struct{}{}
	}
	return s
}

// Need is what a request needs: every one of all of them.
type Need struct {
	Endpoints []string // tags of the route
	Scopes    []string
	Actions   []string
	Resources []Resource
}

// Said is what the token says, which narrows what is held and never adds to it.
type Said struct {
	Scopes []string
	// Resources narrows each kind that is there to what is there, to nothing if that
	// is nothing. A kind that is not there is not narrowed.
	Resources ResourceScope
}

// Reason is why a request is refused.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	EndpointDisabled Reason = "endpoint_disabled" // a tag that is not enabled for the tenant
	ScopeMissing     Reason = "scope_missing"     // an OAuth scope that token or client lacks
	ActionMissing    Reason = "action_missing"    // an action that no policy of the client has
	ResourceOutside  Reason = "resource_outside"  // a resource that lies outside of the resource scope
)

// Decision is the answer. The zero value is a refusal.
type Decision struct {
	Allowed  bool
	Reason   Reason   // why not
	Missing  string   // the tag, scope or action
	Resource Resource // the one outside
}

// Decide holds what is needed against what is held and what the token says. The
// first thing missing is the reason.
func (r *Rights) Decide(need *Need, said *Said) Decision {
	for _, e := range need.Endpoints {
		if !r.everyEndpoint && !r.endpoints.has(e) {
			return Decision{Reason: EndpointDisabled, Missing: e}
		}
	}
	for _, s := range need.Scopes {
		if !r.scopes.has(s) || !slices.Contains(said.Scopes, s) {
			return Decision{Reason: ScopeMissing, Missing: s}
		}
	}
	for _, a := range need.Actions {
		if !r.actions.has(a) {
			return Decision{Reason: ActionMissing, Missing: a}
		}
	}
	for i := range need.Resources {
		if n := &need.Resources[i]; !r.holds(n) || !said.reaches(n) {
			return Decision{Reason: ResourceOutside, Resource: *n}
		}
	}
	return Decision{Allowed: true}
}

func (s set) has(v string) bool {
	_, ok := s[v]
	return ok
}

func (r *Rights) holds(n *Resource) bool {
	held := r.resources[n.Kind] // none, where the kind is not there
	return held.all || (!n.All && held.ids.has(n.ID))
}

func (s *Said) reaches(n *Resource) bool {
	to, narrowed := s.Resources[n.Kind]
	return !narrowed || to.All || (!n.All && to.holds(n.ID))
}

// Scopes are the OAuth scopes that are both said and held, in the order in which they are
// said. What it returns is to be read only.
func (r *Rights) Scopes(said *Said) []string {
	for i, s := range said.Scopes {
		if r.scopes.has(s) {
			continue
		}
		both := slices.Clone(said.Scopes[:i])
		for _, s := range said.Scopes[i+1:] {
			if r.scopes.has(s) {
				both = append(both, s)
			}
		}
		return both
	}
	return said.Scopes
}

// Resources is where a request may act by what is said and held. A kind of which nothing
// is left is not there. What it returns is to be read only.
func (r *Rights) Resources(said *Said) ResourceScope {
	if len(said.Resources) == 0 {
		return r.scope
	}
	return r.scope.Intersect(said.Resources)
}
