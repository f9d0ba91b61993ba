package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/signin"
)

// Recovery names who is to be let in again.
type Recovery struct {
	Name string `json:"name" minLength:"1" doc:"To sign in with; somebody of that name is made where there is nobody."`
}

// recovery is the way back in where nobody can sign in any more (RULES "Administration").
func (a *api) recovery(h huma.API) {
	if a.SignIn == nil {
		return
	}
	op := operation("recover", http.MethodPost, "/recover", "Over the socket only: make somebody a platform admin, end their sessions, and make a link by which they set a password")
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body Recovery }) (*objectBody[NewLink], error) {
		if !askedOf(ctx).local {
			return nil, fail(http.StatusForbidden, forbidden, "is answered on the admin socket only: run `postern admin recover` on the server's own machine")
		}
		link, err := a.SignIn.Recover(ctx, actor(ctx), in.Body.Name)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &objectBody[NewLink]{Body: NewLink{Link: string(link.Token), Expires: &link.Expires}}, nil
	})
}

// Recover lets somebody in again.
func (c *Conn) Recover(ctx context.Context, name string) (out NewLink, err error) {
	err = c.call(ctx, http.MethodPost, "/recover", 0, Recovery{name}, &out)
	return out, err
}

// AcceptLink sets a password by a link.
func (c *Conn) AcceptLink(ctx context.Context, in signin.Acceptance) (out Accepted, err error) {
	err = c.call(ctx, http.MethodPost, "/accept", 0, in, &out)
	return out, err
}
