package graphql

import (
	"encoding/json"

	"github.com/postern-dev/postern/internal/policy"
)

// Need is what one request needs: a plan with its variables.
type Need struct {
	plan  *Plan
	found []*found // of each pin
	// Variables is what is forwarded: the declared ones, coerced; nil if there are none.
	Variables json.RawMessage
}

// Decision is the answer. The zero value is a refusal.
type Decision struct {
	Allowed bool
	// Check says that Document(true) must be forwarded, and the answer passed on by
	// CheckResponse alone.
	Check bool

	Reason       policy.Reason   // why not
	Missing      string          // the scope or action
	Resource     policy.Resource // the one outside
	Alternatives []policy.Need   // of a rule with several: each would do
	Path         string          // the field below those above it, by the names that an answer would have (§7.1.2)
	Coordinate   string          // of the schema: for logs and explain, not for the client (D-93)
	Line, Column int             // in the document that was sent
}

// Need resolves the variables of a request, as JSON; nothing and null are no
// variables. The error is a *Refusal.
func (p *Plan) Need(variables json.RawMessage) (*Need, error) {
	vars, refusal := p.coerce(variables)
	if refusal != nil {
		return nil, refusal
	}
	n := &Need{plan: p, Variables: vars.json}
	if len(p.pins) > 0 {
		n.found = make([]*found, len(p.pins))
	}
	size := 0
	for i := range p.pins {
		pin := &p.pins[i]
		found, refusal := pin.fixed, pin.refused
		if found == nil && refusal == nil {
			if size += pin.args.size(vars); size > p.schema.options.Limits.Values { // one list may be given to many fields
				refusal = tooComplex("values", nil)
			} else {
				found, refusal = pin.resolve(p.schema, vars)
			}
		}
		if refusal != nil {
			at, r := p.spots[pin.spot], *refusal
			r.Path, r.Coordinate = at.path.String(), at.coordinate
			return nil, standing(&r, at.at)
		}
		n.found[i] = found
	}
	return n, nil
}

// Decide holds the need against what is held and what the token says. A refusal is
// that of the first place in the document that lacks something.
func (n *Need) Decide(rights *policy.Rights, said *policy.Said) Decision {
	s := n.plan.schema
	for i := range n.plan.checks {
		if d := n.check(&n.plan.checks[i], rights, said); !d.Allowed {
			return d
		}
	}
	return Decision{Allowed: true, Check: s.options.CheckResponses && !s.unlimited(rights, said)}
}

// Missing lists everything that is missing, in the order of the document: what would
// have to be granted, each scope, action and resource by itself. A rule with alternatives
// is told once: all of one of them are to be granted.
func (n *Need) Missing(rights *policy.Rights, said *policy.Said) []Decision {
	var all []Decision
	for i := range n.plan.checks {
		c := &n.plan.checks[i]
		for _, alternatives := range n.asked(c) {
			switch d := anyOf(alternatives, rights, said); {
			case d.Allowed:
				continue
			case len(alternatives) > 1:
				all = append(all, n.refusal(c, d, alternatives))
				continue
			}
			for _, one := range apart(&alternatives[0]) {
				if d := rights.Decide(&one, said); !d.Allowed {
					all = append(all, n.refusal(c, d, alternatives))
				}
			}
		}
	}
	return all
}

// Resources lists every resource that must be held, whoever asks, in the order of the
// document.
func (n *Need) Resources() []policy.Resource {
	var list []policy.Resource
	seen := map[policy.Resource]bool{}
	for i := range n.plan.checks {
		for _, alternatives := range n.asked(&n.plan.checks[i]) {
			for _, r := range alternatives[0].Resources { // rules with alternatives have none
				if !seen[r] {
					seen[r], list = true, append(list, r)
				}
			}
		}
	}
	return list
}

// asked are the needs of a check, each with its alternatives.
func (n *Need) asked(c *check) (needs [][]policy.Need) {
	s := n.plan.schema
	switch {
	case c.want >= 0:
		needs = append(needs, s.wants[c.want].alternatives)
	case c.pin >= 0:
		for _, w := range n.found[c.pin].wants {
			needs = append(needs, s.wants[w].alternatives)
		}
		if named := n.found[c.pin].resources; len(named) > 0 {
			needs = append(needs, []policy.Need{{Resources: named}})
		}
	case !c.answered && !n.covers(c):
		needs = append(needs, s.all[c.kind:c.kind+1])
	}
	return needs
}

// apart takes a need to pieces.
func apart(need *policy.Need) (pieces []policy.Need) {
	for i := range need.Scopes {
		pieces = append(pieces, policy.Need{Scopes: need.Scopes[i : i+1]})
	}
	for i := range need.Actions {
		pieces = append(pieces, policy.Need{Actions: need.Actions[i : i+1]})
	}
	for i := range need.Resources {
		pieces = append(pieces, policy.Need{Resources: need.Resources[i : i+1]})
	}
	return pieces
}

// unlimited: who holds all of every kind sees nothing that it may not.
func (s *Schema) unlimited(rights *policy.Rights, said *policy.Said) bool {
	for i := range s.all {
		if !rights.Decide(&s.all[i], said).Allowed {
			return false
		}
	}
	return true
}

func (n *Need) check(c *check, rights *policy.Rights, said *policy.Said) Decision {
	var d policy.Decision
	var alternatives []policy.Need
	switch s := n.plan.schema; {
	case c.want >= 0:
		alternatives = s.wants[c.want].alternatives
		d = anyOf(alternatives, rights, said)
	case c.pin >= 0:
		d, alternatives = n.pinned(n.found[c.pin], rights, said)
	case c.answered || n.covers(c):
		return Decision{Allowed: true}
	default:
		d = rights.Decide(&s.all[c.kind], said)
	}
	if d.Allowed {
		return Decision{Allowed: true}
	}
	return n.refusal(c, d, alternatives)
}

// refusal says where something is missing.
func (n *Need) refusal(c *check, d policy.Decision, alternatives []policy.Need) Decision {
	at := &n.plan.spots[c.spot]
	out := Decision{Reason: d.Reason, Missing: d.Missing, Resource: d.Resource, Path: at.path.String(), Coordinate: at.coordinate}
	if len(alternatives) > 1 {
		out.Alternatives = alternatives
	}
	if at.at != nil {
		out.Line, out.Column = at.at.Line, at.at.Column
	}
	return out
}

// anyOf is an OR: the refusal is that of the first alternative.
func anyOf(alternatives []policy.Need, rights *policy.Rights, said *policy.Said) (first policy.Decision) {
	for i := range alternatives {
		d := rights.Decide(&alternatives[i], said)
		if d.Allowed {
			return d
		}
		if i == 0 {
			first = d
		}
	}
	return first
}

func (n *Need) pinned(f *found, rights *policy.Rights, said *policy.Said) (policy.Decision, []policy.Need) {
	for _, w := range f.wants {
		alternatives := n.plan.schema.wants[w].alternatives
		if d := anyOf(alternatives, rights, said); !d.Allowed {
			return d, alternatives
		}
	}
	need := policy.Need{Resources: f.resources}
	return rights.Decide(&need, said), nil
}

// covers reports whether a kind is pinned in this request.
func (n *Need) covers(c *check) bool {
	for _, s := range c.unless {
		f := n.found[s.pin]
		if s.promise && f.promise || !s.promise && f.pinned.has(c.kind) {
			return true
		}
	}
	return false
}
