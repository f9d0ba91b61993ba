package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/signin"
)

// open makes an operation one that asks for no credential: it is how one gets one.
func open(op huma.Operation) huma.Operation {
	op.Security = []map[string][]string{{}}
	return op
}

// signedInBody is who somebody is, with what their browser is to keep.
type signedInBody struct {
	Cookies []string `header:"Set-Cookie"`
	Body    signin.SignedIn
}

type cookiesOnly struct {
	Cookies []string `header:"Set-Cookie"`
}

type redirected struct {
	Cookies  []string `header:"Set-Cookie"`
	Location string   `header:"Location"`
}

func cookieLines(list []*http.Cookie) []string {
	lines := make([]string, len(list))
	for i, c := range list {
		lines[i] = c.String()
	}
	return lines
}

func visit(ctx context.Context) signin.Visit {
	about := askedOf(ctx)
	return signin.Visit{Request: about.request, Source: about.exchange.Source}
}

func (a *api) sessions(h huma.API) {
	huma.Register(h, operation("whoami", http.MethodGet, "/whoami", "Tell who the caller is, and what it may do"), func(ctx context.Context, _ *struct{}) (*signedInBody, error) {
		about := askedOf(ctx)
		return &signedInBody{Body: signin.Tell(about.caller, about.session)}, nil
	})
	if a.SignIn == nil {
		return
	}
	begin := open(operation("begin-session", http.MethodPost, "/session", "Sign in with a password; the cookie of the answer is the session"))
	huma.Register(h, begin, func(ctx context.Context, in *struct{ Body signin.NamePassword }) (*signedInBody, error) {
		who, cookies, err := a.SignIn.Begin(visit(ctx), in.Body)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &signedInBody{cookieLines(cookies), who}, nil
	})
	end := open(operation("end-session", http.MethodDelete, "/session", "Sign out; to do it twice is no error"))
	huma.Register(h, end, func(ctx context.Context, _ *struct{}) (*cookiesOnly, error) {
		cookies, err := a.SignIn.SignOut(visit(ctx))
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &cookiesOnly{cookieLines(cookies)}, nil
	})
	accept := open(operation("accept-link", http.MethodPost, "/accept", "Set a password by a link that is good once: the first administrator's, an invitation, a recovery"))
	huma.Register(h, accept, func(ctx context.Context, in *struct{ Body signin.Acceptance }) (*objectBody[Accepted], error) {
		p, err := a.SignIn.AcceptLink(visit(ctx), in.Body)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &objectBody[Accepted]{Body: Accepted{Name: p.Name, Role: p.Role}}, nil
	})
	a.provider(h)
}

// Accepted is whose password was set; they sign in with it now.
type Accepted struct {
	Name string      `json:"name"`
	Role domain.Role `json:"role"`
}

// provider are the two ends of a sign-in at an OpenID provider, which a browser visits.
func (a *api) provider(h huma.API) {
	start := open(operation("begin-oidc", http.MethodGet, "/oidc/start", "Send the browser to the OpenID provider"))
	start.DefaultStatus = http.StatusSeeOther
	start.Errors = append(start.Errors, http.StatusNotFound, http.StatusBadGateway)
	huma.Register(h, start, func(ctx context.Context, _ *struct{}) (*redirected, error) {
		a.awaitProvider(ctx)
		location, cookies, err := a.SignIn.OIDCStart(visit(ctx))
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &redirected{cookieLines(cookies), location}, nil
	})
	back := open(operation("end-oidc", http.MethodGet, "/oidc/callback", "Sign in whom the OpenID provider sends back"))
	back.Errors = append(back.Errors, http.StatusNotFound, http.StatusBadGateway)
	back.SkipValidateParams = true // a provider may send further ones
	huma.Register(h, back, func(ctx context.Context, in *struct {
		Code   string `query:"code"`
		State  string `query:"state"`
		Error  string `query:"error"`
		Issuer string `query:"iss" doc:"RFC 9207."`
	}) (*signedInBody, error) {
		a.awaitProvider(ctx)
		who, cookies, err := a.SignIn.OIDCCallback(visit(ctx), signin.Callback{Code: in.Code, State: in.State, Error: in.Error, Issuer: in.Issuer})
		if err != nil { // what was begun is over
			return nil, huma.ErrorWithHeaders(problem(ctx, err), http.Header{"Set-Cookie": cookieLines(cookies)})
		}
		return &signedInBody{cookieLines(cookies), who}, nil
	})
}

// toWrite is how long an answer may take to be written once the provider has been asked.
const toWrite = 5 * time.Second

// awaitProvider lets the answer wait for the provider. Else one that takes long would end the
// connection, and nobody would be told.
func (a *api) awaitProvider(ctx context.Context) {
	until := time.Now().Add(a.SignIn.ProviderTimeout() + toWrite)
	_ = http.NewResponseController(askedOf(ctx).exchange).SetWriteDeadline(until) // a server in a test may have none
}
