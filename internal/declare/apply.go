package declare

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	Unchanged Outcome = "unchanged" // and no change was made
)

// Item is what became of one object.
type Item struct {
	Kind     domain.Kind        `json:"kind"`
	Key      string             `json:"key"`
	Label    string             `json:"label,omitempty"` // of tenants and clients
	File     string             `json:"file"`
	Outcome  Outcome            `json:"outcome"`
	Warnings []registry.Warning `json:"warnings,omitempty"`
}

// NewSecret is the secret of a client that was created: here and nowhere else.
type NewSecret struct {
	Issuer   string
	ClientID string
	Name     string
	Secret   oauth.Secret
}

// Result is what became of the objects, in the order in which they were applied.
type Result struct {
	Items   []Item
	Secrets []NewSecret
}

// chunk is how many objects are applied in one transaction (RULES "Snapshot and feed").
const chunk = 100

// Apply checks the objects as Check does and then makes them, in the order of kinds and
// in transactions of at most 100. A client whose file says no status keeps the one it
// has: applying files never enables again what was disabled in an emergency. On an error
// in the midst of it the result tells what was done by the transactions before, with the
// secrets made; applying again goes on from there.
func Apply(ctx context.Context, reg *registry.Registry, by domain.Actor, objects Objects) (Result, error) {
	var result Result
	if err := Check(ctx, reg, objects); err != nil {
		return result, err
	}
	for list := range slices.Chunk(objects.list, chunk) {
		var done Result
		err := reg.Together(ctx, by, func(reg *registry.Registry) (err error) {
			done, err = applyAll(ctx, reg, by, list)
			return err
		})
		if err != nil {
			return result, err
		}
		result.Items = append(result.Items, done.Items...)
		result.Secrets = append(result.Secrets, done.Secrets...)
	}
	return result, nil
}

func applyAll(ctx context.Context, reg *registry.Registry, by domain.Actor, list []*Object) (Result, error) {
	var done Result
	for _, o := range list {
		item := Item{Kind: o.Kind(), Key: o.Key(), File: o.File}
		secret, err := apply(ctx, reg, by, o, &item)
		if err != nil {
			return done, fmt.Errorf("apply %s %s (%s): %w", o.Kind(), o.Key(), Problem{File: o.File, Line: o.Line}.Place(), err)
		}
		done.Items = append(done.Items, item)
		if secret != nil {
			done.Secrets = append(done.Secrets, *secret)
		}
	}
	return done, nil
}

// apply makes one object and says in the item what became of it. A new client has a secret.
func apply(ctx context.Context, reg *registry.Registry, by domain.Actor, o *Object, item *Item) (secret *NewSecret, err error) {
	switch v := o.body.(type) {
	case *domain.Tier:
		err = put(ctx, by, *v, item, reg.GetTier, reg.PutTier, func(t domain.Tier) int64 { return t.Version })
	case *domain.Policy:
		item.Label = v.Label
		err = put(ctx, by, *v, item, reg.GetPolicy, reg.PutPolicy, func(p domain.Policy) int64 { return p.Version })
	case *domain.Issuer:
		err = put(ctx, by, *v, item, reg.GetIssuer, reg.PutIssuer, func(i domain.Issuer) int64 { return i.Version })
	case *domain.Tenant:
		item.Label = v.Label
		err = put(ctx, by, *v, item, reg.GetTenant, reg.PutTenant, func(t domain.Tenant) int64 { return t.Version })
	case *domain.API:
		item.Label = v.Label
		err = put(ctx, by, *v, item, reg.GetAPI, reg.PutAPI, func(a domain.API) int64 { return a.Version })
	case *domain.Client:
		item.Label = v.Name
		return applyClient(ctx, reg, by, v, o.doc.Has("status"), item)
	default:
		err = fmt.Errorf("there is no kind %s", o.Kind())
	}
	return nil, err
}

// put makes an object of any kind but clients, or replaces what is there.
func put[T body](ctx context.Context, by domain.Actor, v T, item *Item,
	get func(context.Context, string) (T, error), put func(context.Context, domain.Actor, T, int64) (T, []registry.Warning, error), version func(T) int64,
) error {
	old, err := absent(get(ctx, v.Key()))
	if err != nil {
		return err
	}
	done, warnings, err := put(ctx, by, v, version(old))
	item.Warnings, item.Outcome = warnings, outcome(version(old), version(done))
	return err
}

func outcome(before, after int64) Outcome {
	switch before {
	case 0:
		return Created
	case after:
		return Unchanged
	}
	return Updated
}

// absent is the zero value for what is not there.
func absent[T any](v T, err error) (T, error) {
	if errors.Is(err, domain.ErrNotFound) {
		err = nil
	}
	return v, err
}

// applyClient makes a client, or changes it; its status only where that is said.
func applyClient(ctx context.Context, reg *registry.Registry, by domain.Actor, v *domain.Client, status bool, item *Item) (*NewSecret, error) {
	old, err := absent(reg.GetClient(ctx, v.Issuer, v.ID))
	if err != nil {
		return nil, err
	}
	if old.Version == 0 {
		item.Outcome = Created
		_, secret, err := reg.CreateClient(ctx, by, *v)
		return &NewSecret{Issuer: v.Issuer, ClientID: v.ID, Name: v.Name, Secret: secret}, err
	}
	done, err := reg.UpdateClient(ctx, by, old.Issuer, old.ID, old.Version, func(c *domain.Client) error {
		kept := c.Status
		*c = *v
		if !status {
			c.Status = kept
		}
		return nil
	})
	item.Outcome = outcome(old.Version, done.Version)
	return nil, err
}
