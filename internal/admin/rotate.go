package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// SecretRotation says how the secrets of a client are replaced.
type SecretRotation struct {
	Kill bool `json:"kill,omitempty" doc:"Must be true: the secrets that the client has are worth nothing from now on, and every token of it is dead."`
}

// rotation is the operation that gives a client a new secret. That it takes all others
// away, and kills (ARB-10), is what the caller has to say.
func (a *api) rotation(h huma.API) {
	op := operation("rotate-client", http.MethodPost, "/issuers/{issuer}/clients/{id}/rotate", "Give a client a new secret in place of all it has; its tokens are dead")
	huma.Register(h, op, func(ctx context.Context, in *struct {
		ClientPath
		Body SecretRotation
	}) (*createdBody, error) {
		if !in.Body.Kill {
			return nil, problem(ctx, domain.AsError("the rotation", []domain.Problem{{Field: "kill",
				Message: "must be true: the new secret takes the place of all others at once, and every token of the client is dead"}}))
		}
		c, secret, err := a.as(ctx).ReplaceSecrets(ctx, actor(ctx), in.Issuer, in.ID, true)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showCreated(c, secret), nil
	})
}

// RotateClient gives a client a new secret in place of all it has, and ends its tokens.
func (c *Conn) RotateClient(ctx context.Context, issuer, id string, r SecretRotation) (out CreatedClient, err error) {
	err = c.call(ctx, http.MethodPost, clientURL(issuer, id)+"/rotate", 0, r, &out)
	return out, err
}
