package signin

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/oauth"
)

// SignedIn is who somebody is, as the admin API tells them.
type SignedIn struct {
	Actor      domain.Actor `json:"actor" doc:"who is named in the audit trail"`
	Name       string       `json:"name,omitempty" doc:"of a person"`
	Role       domain.Role  `json:"role"`
	Reach      domain.Reach `json:"reach" doc:"where the role holds"`
	Platform   bool         `json:"platform" doc:"may change what belongs to no client now"`
	FreshUntil *time.Time   `json:"fresh_until,omitempty" doc:"of a session: until when platform may be true"`
	Ends       *time.Time   `json:"ends,omitempty" doc:"of a session: its end at the latest"`
}

// Tell is the answer about a caller; the session is nil where it came with something else.
func Tell(c domain.Caller, session *Session) SignedIn {
	out := SignedIn{Actor: c.Actor, Role: c.Role, Reach: c.Reach, Platform: c.Platform}
	if session != nil {
		out.Name = session.Person.Name
		ends := session.Ends.UTC()
		out.Ends = &ends
		if fresh := session.FreshUntil(); !fresh.IsZero() {
			fresh = fresh.UTC()
			out.FreshUntil = &fresh
		}
	}
	return out
}

// NamePassword is what people sign in with.
type NamePassword struct {
	Name     string       `json:"name"`
	Password oauth.Secret `json:"password"`
}

// MarshalJSON writes the password as it is: a client sends it. Printed and logged it stays hidden.
func (n NamePassword) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"name": n.Name, "password": string(n.Password)})
}

// LogValue shows nothing of it.
func (NamePassword) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Begin signs in with a password: POST /api/admin/session. A page of somebody else's cannot
// sign a browser in under another name; a program that is no browser may.
func (s *SignIn) Begin(v Visit, in NamePassword) (SignedIn, []*http.Cookie, error) {
	if err := sameOrigin(v.Request); err != nil {
		return SignedIn{}, nil, err
	}
	p, err := s.Password(v.Request.Context(), in.Name, in.Password, v.Source)
	if err != nil {
		return SignedIn{}, nil, err
	}
	return s.signIn(v, &p, s.Now())
}

// signIn begins the session of a person who proved who they are.
func (s *SignIn) signIn(v Visit, p *domain.Person, signedIn time.Time) (SignedIn, []*http.Cookie, error) {
	token, session, err := s.begin(v, p, signedIn)
	if err != nil {
		return SignedIn{}, nil, err
	}
	c := s.callerOf(session)
	// RULES: Strict. It lives as long as the browser, and on the server as long as the session.
	return Tell(c, session), []*http.Cookie{newCookie(v.Request, sessionCookie, token, http.SameSiteStrictMode, 0)}, nil
}

// SignOut ends the session on the server too: DELETE /api/admin/session. To sign out twice is
// no error.
func (s *SignIn) SignOut(v Visit) ([]*http.Cookie, error) {
	if err := fromPage(v.Request); err != nil {
		return nil, err
	}
	if err := s.end(v); err != nil {
		return nil, err
	}
	return []*http.Cookie{newCookie(v.Request, sessionCookie, "", http.SameSiteStrictMode, -1)}, nil
}

// ProviderTimeout is how long OIDCStart and OIDCCallback may take over asking the provider.
func (s *SignIn) ProviderTimeout() time.Duration {
	if s.provider == nil {
		return 0
	}
	return s.provider.Timeout
}

// OIDCStart is where the browser is to be sent: GET /api/admin/oidc/start, 303.
func (s *SignIn) OIDCStart(v Visit) (location string, cookies []*http.Cookie, err error) {
	if s.provider == nil {
		return "", nil, ErrNoOIDC
	}
	f, err := s.provider.discover(v.Request.Context())
	if err != nil {
		return "", nil, err
	}
	b := newBegun(s.Now())
	// Lax: the browser comes back from the provider's page, which is another site.
	return f.at(b), []*http.Cookie{newCookie(v.Request, beginCookie, string(b), http.SameSiteLaxMode, int(beginLives/time.Second))}, nil
}

// OIDCCallback signs in whom the provider sends back: GET /api/admin/oidc/callback. The
// cookies are to be set also where it fails: what was begun is over.
func (s *SignIn) OIDCCallback(v Visit, c Callback) (SignedIn, []*http.Cookie, error) {
	if s.provider == nil {
		return SignedIn{}, nil, ErrNoOIDC
	}
	over := newCookie(v.Request, beginCookie, "", http.SameSiteLaxMode, -1)
	value, ok, err := cookie(v.Request, beginCookie)
	if err == nil && (!ok || !begun(value).alive(s.Now())) {
		err = ErrState
	}
	if err != nil {
		return SignedIn{}, []*http.Cookie{over}, err
	}
	out, cookies, err := s.comeBack(v, begun(value), c)
	return out, append(cookies, over), err
}

func (s *SignIn) comeBack(v Visit, b begun, c Callback) (SignedIn, []*http.Cookie, error) {
	ctx := v.Request.Context()
	guess, err := s.guessFrom(ratelimit.SourceOf(v.Source)) // each costs the provider a request
	if err != nil {
		return SignedIn{}, nil, err
	}
	who, err := s.provider.exchange(ctx, b, c)
	if err != nil {
		return SignedIn{}, nil, err
	}
	p, err := s.match(ctx, who)
	if errors.Is(err, ErrNobody) {
		return SignedIn{}, nil, errors.Join(err, s.note(ctx, SessionRefused, nil, v.Source, "person_unknown"))
	}
	if err != nil {
		return SignedIn{}, nil, err
	}
	guess.Withdraw()
	return s.signIn(v, &p, who.signedIn)
}

// Acceptance is a link, and what is set by it.
type Acceptance struct {
	Token    oauth.Secret `json:"token"`
	Name     string       `json:"name,omitempty" doc:"of the first administrator; else it may be left out"`
	Password oauth.Secret `json:"password" doc:"12 characters or more, 256 bytes at most"`
}

// MarshalJSON writes link and password as they are: a client sends them. Printed and logged
// they stay hidden.
func (a Acceptance) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"token": string(a.Token), "name": a.Name, "password": string(a.Password)})
}

// LogValue shows nothing of it.
func (Acceptance) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// AcceptLink is Accept for a visit: POST /api/admin/accept. It signs nobody in.
func (s *SignIn) AcceptLink(v Visit, in Acceptance) (domain.Person, error) {
	if err := sameOrigin(v.Request); err != nil {
		return domain.Person{}, err
	}
	p, err := s.Accept(v.Request.Context(), in.Token, in.Name, in.Password)
	if errors.Is(err, ErrLink) { // a good link has 256 random bits, and is good whatever was tried from there
		if _, over := s.guessFrom(ratelimit.SourceOf(v.Source)); over != nil {
			return domain.Person{}, over
		}
	}
	return p, err
}
