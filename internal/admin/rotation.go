package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// NewRotation begins a rotation with an overlap.
type NewRotation struct {
	Expires domain.Seconds `json:"expires,omitempty" minimum:"0" maximum:"31536000" doc:"Seconds after which the old secret ends by itself; left out: not before the rotation is completed."`
}

// RotationEnd ends a rotation: whoever ends it says what becomes of the tokens.
type RotationEnd struct {
	Kill bool `json:"kill" doc:"true: every token of the client is dead; good secrets fetch anew. false: they live to their expiry."`
}

// Secrets are the secrets of a client that are alive, with their last use, and whether the
// old one can go.
type Secrets registry.Rotation

// overlap are the operations of a rotation during which two secrets are good.
func (a *api) overlap(h huma.API) {
	const path = "/issuers/{issuer}/clients/{id}/rotation"
	huma.Register(h, operation("get-rotation", http.MethodGet, path, "Tell how the secrets of a client stand, and whether the old one is safe to retire"), func(ctx context.Context, in *ClientPath) (*struct{ Body Secrets }, error) {
		r, err := a.as(ctx).Rotation(ctx, in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &struct{ Body Secrets }{Secrets(r)}, nil
	})
	huma.Register(h, operation("start-rotation", http.MethodPost, path, "Give a client a second secret beside the one it has"), func(ctx context.Context, in *struct {
		ClientPath
		Body NewRotation
	}) (*createdBody, error) {
		c, secret, err := a.as(ctx).StartRotation(ctx, actor(ctx), in.Issuer, in.ID, in.Body.Expires.Duration())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showCreated(c, secret), nil
	})
	huma.Register(h, operation("cancel-rotation", http.MethodPost, path+"/cancel", "Take the new secret away; the old one is good as before"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.as(ctx).CancelRotation(ctx, actor(ctx), in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
	huma.Register(h, operation("complete-rotation", http.MethodPost, path+"/complete", "Take the old secret away"), func(ctx context.Context, in *struct {
		ClientPath
		Body RotationEnd
	}) (*clientBody, error) {
		c, err := a.as(ctx).CompleteRotation(ctx, actor(ctx), in.Issuer, in.ID, in.Body.Kill)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
}

func rotationURL(issuer, id string) string { return clientURL(issuer, id) + "/rotation" }

// GetRotation tells how the secrets of a client stand.
func (c *Conn) GetRotation(ctx context.Context, issuer, id string) (out Secrets, err error) {
	err = c.call(ctx, http.MethodGet, rotationURL(issuer, id), 0, nil, &out)
	return out, err
}

// StartRotation gives a client a second secret beside the one it has.
func (c *Conn) StartRotation(ctx context.Context, issuer, id string, n NewRotation) (out CreatedClient, err error) {
	err = c.call(ctx, http.MethodPost, rotationURL(issuer, id), 0, n, &out)
	return out, err
}

// CancelRotation takes the new secret away.
func (c *Conn) CancelRotation(ctx context.Context, issuer, id string) (out Client, err error) {
	err = c.call(ctx, http.MethodPost, rotationURL(issuer, id)+"/cancel", 0, nil, &out)
	return out, err
}

// CompleteRotation takes the old secret away.
func (c *Conn) CompleteRotation(ctx context.Context, issuer, id string, e RotationEnd) (out Client, err error) {
	err = c.call(ctx, http.MethodPost, rotationURL(issuer, id)+"/complete", 0, e, &out)
	return out, err
}
