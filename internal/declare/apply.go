package declare

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

// Outcome is what became of an object.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"  // and no change was made
	Adopted   Outcome = "adopted"    // it was of no set, is of this one now, and is as its file says
	TakenOver Outcome = "taken over" // the same of what was of another set
	Deleted   Outcome = "deleted"
)

// Item is what became of one object.
type Item struct {
	Kind        domain.Kind        `json:"kind"`
	Key         string             `json:"key"`
	Label       string             `json:"label,omitempty"` // of tenants and clients
	File        string             `json:"file"`
	Outcome     Outcome            `json:"outcome"`
	Was         string             `json:"was,omitempty"` // the origin of what was taken over
	Differences []Difference       `json:"differences,omitempty"`
	Warnings    []registry.Warning `json:"warnings,omitempty"`
}

// NewSecret is the secret of a client that was created: here and nowhere else.
type NewSecret struct {
	Issuer   string
	ClientID string
	Name     string
	Secret   oauth.Secret
}

// Result is what became of the objects, in the order in which they were applied; those
// that were deleted come last.
type Result struct {
	Items   []Item
	Secrets []NewSecret
}

// chunk is how many objects are applied in one transaction (RULES "Snapshot and feed").
const chunk = 100

// Apply checks the objects as Check does and then makes them, in the order of kinds and
// in transactions of at most 100; what is as its file says already is in none. Then it
// deletes what Options say. A client whose file says no status keeps the one it
// has: applying files never enables again what was disabled in an emergency. On an error
// in the midst of it the result tells what was done by the transactions before, with the
// secrets made; applying again goes on from there.
func Apply(ctx context.Context, reg *registry.Registry, by domain.Actor, objects Objects, o Options) (Result, error) {
	p, err := newPlan(ctx, reg, objects, o)
	if err != nil {
		return Result{}, err
	}
	if len(p.surplus) > 0 { // what keeps one from being deleted is told before anything is changed
		if _, err := p.rehearse(ctx, by); err != nil {
			return Result{}, err
		}
	}
	store := &oneReading{Store: reg.Store}
	return p.run(ctx, by, store, func(clients []string) { store.clients = clients })
}

// Rehearse does as Apply, warnings and all, and changes nothing: the result tells what
// would be done, with the differences. No secret is in it. Objects that would stay as they
// are have no difference.
func Rehearse(ctx context.Context, reg *registry.Registry, by domain.Actor, objects Objects, o Options) (Result, error) {
	p, err := newPlan(ctx, reg, objects, o)
	if err != nil {
		return Result{}, err
	}
	p.differences = true
	return p.rehearse(ctx, by)
}
