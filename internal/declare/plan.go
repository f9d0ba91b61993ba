package declare

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// plan is what is to be done: one step for each object.
type plan struct {
	reg         *registry.Registry
	options     Options
	steps       []step
	surplus     []surplus
	differences bool // are to be told
}

// step is one object, and what there is of it.
type step struct {
	*Object
	old  body // nil: nothing
	item Item
}

// newPlan checks everything, and compares the objects with what is there.
func newPlan(ctx context.Context, reg *registry.Registry, objects Objects, o Options) (*plan, error) {
	if err := o.problems(); err != nil {
		return nil, err
	}
	if o.Prune && !o.PruneAll && len(objects.list) == 0 && len(objects.problems) == 0 {
		return nil, ErrNothingLeft
	}
	p := &plan{reg: reg.From(o.Set), options: o}
	c := newChecker(reg)
	if err := c.read(ctx, objects.list); err != nil {
		return nil, err
	}
	var err error
	if o.Prune {
		if p.surplus, err = c.surplus(ctx, o.Set, objects.list); err != nil {
			return nil, err
		}
	}
	if err := c.check(ctx, objects, o, p.surplus); err != nil {
		return nil, err
	}
	p.steps = make([]step, len(objects.list))
	for i, object := range objects.list {
		p.steps[i] = c.step(object, o)
	}
	return p, nil
}

// step says what is to be done with an object: nothing, where it is as its file says.
func (c *checker) step(object *Object, o Options) step {
	*originIn(object.body) = o.origin(object.File)
	s := step{Object: object, old: c.stored[registry.Ref{Kind: object.Kind(), Key: object.Key()}]}
	s.item = Item{Kind: object.Kind(), Key: object.Key(), Label: label(object.body), File: object.File, Outcome: Created}
	if s.old == nil {
		return s
	}
	was := originOf(s.old)
	set, _ := whose(was)
	switch {
	case o.Set == "" && was != "": // it is a set's
		s.item.Outcome = Unchanged
	case o.Set != "" && set == "":
		s.item.Outcome = Adopted
	case o.Set != set:
		s.item.Outcome, s.item.Was = TakenOver, was
	case len(differences(s.old, c.desired(object, s.old))) == 0:
		s.item.Outcome = Unchanged
	default:
		s.item.Outcome = Updated
	}
	return s
}

// desired is the object as it would be kept in place of the old one.
func (c *checker) desired(o *Object, old body) body {
	switch v := o.body.(type) {
	case *domain.Issuer:
		filled := *v
		filled.Defaults()
		return &filled
	case *domain.API:
		filled := *v
		filled.Defaults()
		return &filled
	case *domain.Client:
		filled := *v
		if !o.doc.Has("status") {
			filled.Status = old.(*domain.Client).Status
		}
		d, _ := c.reg.Dialects.Get(c.issuers[v.Issuer].Dialect)
		filled.Defaults(d)
		return &filled
	}
	return o.body
}

// rehearse runs the plan where nothing lasts.
func (p *plan) rehearse(ctx context.Context, by domain.Actor) (Result, error) {
	store := rehearse(p.reg.Store)
	var failed error
	done, err := p.run(ctx, by, store, func(clients []string) { failed = store.kept.fetch(ctx, clients) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return Result{}, err
	}
	done.Secrets = nil // they were never kept
	return done, nil
}

// run carries the plan out in the store. next is told the clients of each transaction
// before it begins.
func (p *plan) run(ctx context.Context, by domain.Actor, store domain.Store, next func(clients []string)) (Result, error) {
	in := *p.reg
	in.Store = store
	var result Result
	done := 0 // steps before this one are
	for done < len(p.steps) {
		list, end := p.chunk(done)
		var secrets []NewSecret
		if len(list) > 0 {
			next(clientKeys(list))
			err := in.Together(ctx, by, func(reg *registry.Registry) (err error) {
				secrets, err = p.makeAll(ctx, reg, by, list)
				return err
			})
			if err != nil {
				return result, err
			}
		}
		for _, s := range p.steps[done:end] {
			result.Items = append(result.Items, s.item)
		}
		result.Secrets = append(result.Secrets, secrets...)
		done = end
	}
	for list := range slices.Chunk(p.surplus, chunk) {
		next(nil)
		err := in.Together(ctx, by, func(reg *registry.Registry) error { return deleteAll(ctx, reg, by, list) })
		if err != nil {
			return result, err
		}
		for _, s := range list {
			result.Items = append(result.Items, s.item(p.differences))
		}
	}
	return result, nil
}

// chunk is the next steps at which there is something to do, and where the ones after it
// begin.
func (p *plan) chunk(from int) (list []*step, end int) {
	for end = from; end < len(p.steps) && len(list) < chunk; end++ {
		if s := &p.steps[end]; s.item.Outcome != Unchanged {
			list = append(list, s)
		}
	}
	return list, end
}

func clientKeys(list []*step) []string {
	var keys []string
	for _, s := range list {
		if s.Kind() == domain.KindClient {
			keys = append(keys, s.Key())
		}
	}
	return keys
}

// makeAll makes the objects of one transaction.
func (p *plan) makeAll(ctx context.Context, reg *registry.Registry, by domain.Actor, list []*step) ([]NewSecret, error) {
	var secrets []NewSecret
	for _, s := range list {
		one := &making{reg: reg, by: by, step: s, differences: p.differences}
		if err := one.do(ctx); err != nil {
			return nil, fmt.Errorf("apply %s %s (%s): %w", s.Kind(), s.Key(), Problem{File: s.File, Line: s.Line}.Place(), err)
		}
		if one.secret != nil {
			secrets = append(secrets, *one.secret)
		}
	}
	return secrets, nil
}
