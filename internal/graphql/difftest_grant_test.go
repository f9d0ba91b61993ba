package graphql_test

import (
	"slices"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// grant is what a client holds and what its token says, as the reference reads it.
type grant struct {
	actions   []string
	scopes    []string
	resources policy.ResourceScope
	said      policy.Said
}

// The words that cases are made of: few, so that they meet.
var (
	kindWords   = []string{"study", "site", "team"}
	idWords     = []string{"1", "2", "3", "01", "A", "a"}
	actionWords = []string{"read", "list", "write", "finance", "secret"}
	scopeWords  = []string{"x", "y"}
)

func (g *grant) rights() *policy.Rights {
	half := len(g.actions) / 2
	return policy.Compile(policy.Held{Scopes: g.scopes, Resources: g.resources, Policies: []policy.Policy{
		{Name: "p", Actions: g.actions[:half]}, {Name: "q", Actions: g.actions[half:]}}})
}

func (g *grant) action(a string) bool { return slices.Contains(g.actions, a) }

func (g *grant) scope(s string) bool {
	return slices.Contains(g.scopes, s) && slices.Contains(g.said.Scopes, s)
}

// all tells whether everything of the kind is held, of today and tomorrow or of these.
func (g *grant) all(kind string) bool {
	said, narrowed := g.said.Resources[kind]
	return g.resources[kind].All && (!narrowed || said.All)
}

// holds tells whether a resource that is named lies inside.
func (g *grant) holds(kind, id string) bool {
	held := g.resources[kind]
	if !slices.Contains(held.IDs, id) && !(held.All && len(held.IDs) == 0) {
		return false
	}
	said, narrowed := g.said.Resources[kind]
	return !narrowed || said.All || slices.Contains(said.IDs, id)
}

// world lists the ids that there are of the kind: who holds all of these has no others.
func (g *grant) world(kind string) []string {
	if r := g.resources[kind]; r.All && len(r.IDs) > 0 {
		return r.IDs
	}
	return idWords
}

func (d demand) met(g *grant) bool {
	for _, c := range d {
		if !c.met(g) {
			return false
		}
	}
	return true
}

func (c *clause) met(g *grant) bool {
	holds := g.action
	if c.scopes {
		holds = g.scope
	}
	return c.any == nil || slices.ContainsFunc(c.any, func(all []string) bool {
		return !slices.ContainsFunc(all, func(w string) bool { return !holds(w) })
	})
}

// allOfThese tells whether policy knows sets that are all of their kind.
var allOfThese = !policy.Compile(policy.Held{Resources: policy.ResourceScope{"k": {All: true, IDs: []string{"1"}}}}).Decide(&policy.Need{Resources: []policy.Resource{{Kind: "k", ID: "2"}}}, &policy.Said{}).Allowed

// drawGrant draws one that holds most things, so that what it lacks is noticed.
func drawGrant(s *source, kinds []string) *grant {
	g := &grant{resources: policy.ResourceScope{}}
	most := pick(s, []int{100, 100, 95, 85, 50})
	g.actions = some(s, append(slices.Clone(actionWords), "graphql:introspect"), most)
	g.scopes = some(s, scopeWords, most)
	g.said.Scopes = some(s, scopeWords, most)
	for _, k := range kinds {
		switch n := s.below(20); {
		case n < 1:
		case n < 12:
			g.resources[k] = policy.Resources{IDs: some(s, idWords, 40)}
		case n < 18:
			g.resources[k] = policy.Resources{All: true}
		case allOfThese:
			g.resources[k] = policy.Resources{All: true, IDs: append(some(s, idWords, 50), "2")}
		}
		if s.percent(8) {
			if g.said.Resources == nil {
				g.said.Resources = policy.ResourceScope{}
			}
			g.said.Resources[k] = policy.Resources{IDs: some(s, idWords, 60)}
		}
	}
	return g
}

// less is the grant without one thing, which may be what an operation needs.
func (g *grant) less(s *source, kinds []string) *grant {
	l := &grant{actions: slices.Clone(g.actions), scopes: slices.Clone(g.scopes), said: g.said, resources: policy.ResourceScope{}}
	for k, r := range g.resources {
		l.resources[k] = r
	}
	switch s.below(4) {
	case 0:
		l.actions = drop(s, l.actions)
	case 1:
		l.scopes = drop(s, l.scopes)
	default:
		k := pick(s, kinds)
		if r := l.resources[k]; r.All && len(r.IDs) == 0 {
			l.resources[k] = policy.Resources{IDs: slices.Clone(idWords)}
		} else {
			l.resources[k] = policy.Resources{All: r.All && len(r.IDs) > 2, IDs: drop(s, r.IDs)}
		}
	}
	return l
}

// with is the grant with all that a list of refusals says is missing.
func (g *grant) with(missing []graphql.Decision) *grant {
	m := &grant{actions: slices.Clone(g.actions), scopes: slices.Clone(g.scopes), resources: policy.ResourceScope{}, said: policy.Said{Scopes: slices.Clone(g.said.Scopes)}}
	for k, r := range g.resources {
		if said, narrowed := g.said.Resources[k]; narrowed && !said.All { // the token names what is held
			r = policy.Resources{IDs: slices.DeleteFunc(slices.Clone(said.IDs), func(id string) bool { return !g.holds(k, id) })}
		}
		m.resources[k] = r
	}
	for _, d := range missing {
		switch {
		case d.Reason == policy.ActionMissing && len(d.Alternatives) > 0:
			m.actions, m.scopes = append(m.actions, d.Alternatives[0].Actions...), append(m.scopes, d.Alternatives[0].Scopes...)
		case d.Reason == policy.ActionMissing:
			m.actions = append(m.actions, d.Missing)
		case d.Reason == policy.ScopeMissing && len(d.Alternatives) > 0:
			m.actions, m.scopes = append(m.actions, d.Alternatives[0].Actions...), append(m.scopes, d.Alternatives[0].Scopes...)
		case d.Reason == policy.ScopeMissing:
			m.scopes = append(m.scopes, d.Missing)
		case d.Resource.All:
			m.resources[d.Resource.Kind] = policy.Resources{All: true}
		case d.Resource.Kind != "" && !m.resources[d.Resource.Kind].All:
			m.resources[d.Resource.Kind] = policy.Resources{IDs: append(slices.Clone(m.resources[d.Resource.Kind].IDs), d.Resource.ID)}
		}
	}
	m.said.Scopes = append(m.said.Scopes, m.scopes...)
	return m
}

func drop(s *source, words []string) []string {
	if len(words) == 0 {
		return nil
	}
	i := s.below(len(words))
	return slices.Concat(words[:i], words[i+1:])
}
