package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// ErrBeforeHistory is wrapped where somebody asks of a time before the first change.
var ErrBeforeHistory = errors.New("that is before the first change there is")

// Moment is where in the history an answer was read.
type Moment struct {
	Asked time.Time `json:"asked"`  // the time that was asked of
	Seq   int64     `json:"change"` // number of the last change until then
	Time  time.Time `json:"time"`   // of that change
}

// ref names an object.
type ref struct {
	kind domain.Kind
	key  string
}

// layer is objects as the latest change of some left them.
type layer struct {
	objects map[ref]domain.Change // a deleted one without Object
	before  map[ref]domain.Change // of those deleted: what they were last
}

func newLayer() layer {
	return layer{objects: map[ref]domain.Change{}, before: map[ref]domain.Change{}}
}

func (l *layer) put(r ref, c domain.Change) {
	if old, ok := l.objects[r]; ok && c.Object == nil && old.Object != nil {
		l.before[r] = old
	}
	l.objects[r] = c
}

// take puts what is in a later layer over this one, and empties it.
func (l *layer) take(later *layer) {
	for r, c := range later.objects {
		l.put(r, c)
	}
	for r, c := range later.before {
		l.before[r] = c
	}
	clear(later.objects)
	clear(later.before)
}

// past is what there was at a time, each object as the latest change until then left it.
type past struct {
	Moment
	layer

	tenants  map[string]*domain.Tenant
	policies map[string]domain.Policy
	compiled map[string]policy.Policy
	tiers    map[string]domain.Tier
	issuers  map[string]domain.Issuer
	apis     []domain.API // by name
}

// readPast reads the changes up to a time. Where clocks went back, it is all up to the last
// one that bears a time until then: a state that there was. Of objects of other kinds than
// rights hang on, only those that want says.
func readPast(ctx context.Context, feed Feed, at time.Time, want func(domain.Kind, string) bool) (*past, error) {
	p := &past{Moment: Moment{Asked: at.UTC()}, layer: newLayer()}
	var first *time.Time
	later := newLayer() // than the last one that counts; counts too if another one until then comes
	_, err := eachChange(ctx, feed, func(c domain.Change) error {
		if first == nil {
			first = &c.Time
		}
		counts := !c.Time.After(at)
		if counts {
			p.take(&later)
			p.Seq, p.Time = int64(c.Seq), c.Time
		}
		if !rights(c.Kind) && !want(c.Kind, c.Key) {
			return nil
		}
		if r := (ref{c.Kind, c.Key}); counts {
			p.put(r, c)
		} else {
			later.put(r, c)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case first == nil:
		return nil, fmt.Errorf("%w: nothing was ever changed here", ErrBeforeHistory)
	case p.Seq == 0:
		return nil, fmt.Errorf("%w, of %s", ErrBeforeHistory, first.UTC().Format(time.RFC3339Nano))
	}
	return p, p.read()
}

// rights reports whether what a client may do hangs on objects of the kind.
func rights(kind domain.Kind) bool {
	return slices.Contains([]domain.Kind{domain.KindTenant, domain.KindIssuer, domain.KindAPI, domain.KindPolicy, domain.KindTier}, kind)
}

// read makes objects of what rights hang on.
func (p *past) read() error {
	p.tenants, p.policies, p.compiled = map[string]*domain.Tenant{}, map[string]domain.Policy{}, map[string]policy.Policy{}
	p.tiers, p.issuers = map[string]domain.Tier{}, map[string]domain.Issuer{}
	for _, t := range domain.BuiltinTiers() {
		p.tiers[t.Name] = t
	}
	for r, c := range p.objects {
		if c.Object == nil {
			continue
		}
		if err := p.readOne(r.kind, c.Object); err != nil {
			return fmt.Errorf("change %d, %s %q: %w", c.Seq, r.kind, r.key, err)
		}
	}
	slices.SortFunc(p.apis, func(a, b domain.API) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (p *past) readOne(kind domain.Kind, object json.RawMessage) (err error) {
	switch kind {
	case domain.KindTenant:
		var t domain.Tenant
		err = json.Unmarshal(object, &t)
		p.tenants[t.ID] = &t
	case domain.KindPolicy:
		var o domain.Policy
		err = json.Unmarshal(object, &o)
		p.policies[o.Name], p.compiled[o.Name] = o, o.Compiled()
	case domain.KindTier:
		var t domain.Tier
		err = json.Unmarshal(object, &t)
		p.tiers[t.Name] = t
	case domain.KindIssuer:
		var i domain.Issuer
		err = json.Unmarshal(object, &i)
		p.issuers[i.Name] = i
	case domain.KindAPI:
		var a domain.API
		err = json.Unmarshal(object, &a)
		p.apis = append(p.apis, a)
	}
	return err
}

// tier is a tier by name, as nodes find it.
func (p *past) tier(name string) domain.Tier {
	if t, ok := p.tiers[name]; ok {
		return t
	}
	return p.tiers[domain.DefaultTier]
}

// held is what the client held, and the same made ready to decide by.
func (p *past) held(c *domain.Client) (policy.Held, *policy.Rights) {
	h := c.Held(p.tenants[c.Tenant], p.compiled)
	return h, policy.Compile(h)
}
