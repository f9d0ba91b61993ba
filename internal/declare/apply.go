package declare

import (
	"context"
	"errors"
	"fmt"

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

// Apply checks the objects as Check does and then makes them, issuers first and
// clients last, each in a transaction of its own. A client whose file says no
// status keeps the one it has: applying files never enables again what was
// disabled in an emergency. On an error in the midst of it the result tells what
// was done before, with the secrets made; applying again goes on from there.
func Apply(ctx context.Context, reg *registry.Registry, by domain.Actor, objects Objects) (Result, error) {
	var result Result
	if err := Check(ctx, reg, objects); err != nil {
		return result, err
	}
	for _, o := range objects.list {
		item, secret, err := apply(ctx, reg, by, o)
		if err != nil {
			return result, fmt.Errorf("apply %s %s (%s): %w", o.Kind(), o.Key(), Problem{File: o.File, Line: o.Line}.Place(), err)
		}
		result.Items = append(result.Items, item)
		if secret != "" {
			result.Secrets = append(result.Secrets, NewSecret{Issuer: o.Client.Issuer, ClientID: o.Client.ID, Name: o.Client.Name, Secret: secret})
		}
	}
	return result, nil
}

func apply(ctx context.Context, reg *registry.Registry, by domain.Actor, o *Object) (Item, oauth.Secret, error) {
	r := Item{Kind: o.Kind(), Key: o.Key(), File: o.File}
	var before, after int64
	var secret oauth.Secret
	var err error
	switch {
	case o.Issuer != nil:
		var old, done domain.Issuer
		if old, err = absent(reg.GetIssuer(ctx, o.Issuer.Name)); err != nil {
			return r, "", err
		}
		done, r.Warnings, err = reg.PutIssuer(ctx, by, *o.Issuer, old.Version)
		before, after = old.Version, done.Version
	case o.Tenant != nil:
		var old, done domain.Tenant
		if old, err = absent(reg.GetTenant(ctx, o.Tenant.ID)); err != nil {
			return r, "", err
		}
		done, r.Warnings, err = reg.PutTenant(ctx, by, *o.Tenant, old.Version)
		r.Label, before, after = o.Tenant.Label, old.Version, done.Version
	default:
		r.Label = o.Client.Name
		before, after, secret, err = applyClient(ctx, reg, by, o)
	}
	switch {
	case before == 0:
		r.Outcome = Created
	case after != before:
		r.Outcome = Updated
	default:
		r.Outcome = Unchanged
	}
	return r, secret, err
}

// absent is the zero value for what is not there.
func absent[T any](v T, err error) (T, error) {
	if errors.Is(err, domain.ErrNotFound) {
		err = nil
	}
	return v, err
}

func applyClient(ctx context.Context, reg *registry.Registry, by domain.Actor, o *Object) (before, after int64, s oauth.Secret, err error) {
	old, err := absent(reg.GetClient(ctx, o.Client.Issuer, o.Client.ID))
	if err != nil {
		return 0, 0, "", err
	}
	if old.Version == 0 {
		var made domain.Client
		made, s, err = reg.CreateClient(ctx, by, *o.Client)
		return 0, made.Version, s, err
	}
	done, err := reg.UpdateClient(ctx, by, old.Issuer, old.ID, old.Version, func(c *domain.Client) error {
		status := c.Status
		*c = *o.Client
		if !o.doc.Has("status") {
			c.Status = status
		}
		return nil
	})
	return old.Version, done.Version, "", err
}
