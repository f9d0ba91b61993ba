package graphql

import (
	"errors"
	"strings"

	"github.com/maypok86/otter/v2"
)

// Cache keeps plans, and refusals, of documents seen before. It is bounded by what
// they weigh, and for concurrent use.
type Cache struct {
	plans *otter.Cache[key, planned]
}

// key is everything that a plan depends on, compared in full: no digest that two
// documents could share (RULES "Guard, GraphQL").
type key struct {
	schema *Schema // each as it was loaded: it stands for the API too
	name   string
	query  string
}

type planned struct {
	plan    *Plan
	refusal *Refusal
}

// NewCache makes a cache that holds about so many bytes of plans.
func NewCache(bytes uint64) (*Cache, error) {
	plans, err := otter.New(&otter.Options[key, planned]{
		MaximumWeight: bytes,
		Weigher: func(k key, v planned) uint32 {
			weight := 512 + len(k.name) + len(k.query)
			if v.plan != nil {
				weight += v.plan.weight()
			}
			return uint32(weight) //nolint:gosec // bounded by the limits of documents
		},
	})
	if err != nil {
		return nil, err
	}
	return &Cache{plans: plans}, nil
}

// Plan is Schema.Plan, remembered. The error is a *Refusal.
func (c *Cache) Plan(s *Schema, query, name string) (*Plan, error) {
	if len(query)+len(name) > s.options.Limits.Bytes { // past a limit, or a name that no operation has
		return s.Plan(query, name)
	}
	v, ok := c.plans.GetIfPresent(key{s, name, query})
	if !ok {
		query, name = strings.Clone(query), strings.Clone(name) // what is kept does not keep the rest of a body
		plan, err := s.Plan(query, name)
		v = planned{plan: plan}
		if r, ok := errors.AsType[*Refusal](err); ok {
			v.refusal = r
		} else if err != nil {
			return nil, err
		}
		c.plans.Set(key{s, name, query}, v)
	}
	if v.refusal != nil {
		return nil, v.refusal
	}
	return v.plan, nil
}

// weight is about how many bytes a plan takes: the tree of its document hangs on it.
func (p *Plan) weight() int {
	return 17*len(p.plain.document) + 3*len(p.checked.document) + 128*len(p.checks) + 256*len(p.pins) + 64*p.answer.size()
}
