package graphql

import (
	"errors"

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
	generation uint64 // of the schema, unique in the process: it stands for the API too
	name       string
	query      string
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
	k := key{s.generation, name, query}
	v, ok := c.plans.GetIfPresent(k)
	if !ok {
		plan, err := s.Plan(query, name)
		v = planned{plan: plan}
		if r, ok := errors.AsType[*Refusal](err); ok {
			v.refusal = r
		} else if err != nil {
			return nil, err
		}
		if len(query) <= s.options.Limits.Bytes {
			c.plans.Set(k, v)
		}
	}
	if v.refusal != nil {
		return nil, v.refusal
	}
	return v.plan, nil
}

// weight is about how many bytes a plan takes: the tree of its document hangs on it.
func (p *Plan) weight() int {
	return 16*len(p.document) + 2*len(p.checked) + 128*len(p.checks) + 256*len(p.pins) + 64*p.answer.size()
}
