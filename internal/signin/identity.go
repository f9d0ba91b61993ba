package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/postern-dev/postern/internal/domain"
)

// claims are those of an ID token, or of the userinfo endpoint, that are read.
type claims struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // some providers write it as a text
	AuthTime *int64 `json:"auth_time"`
}

// verified is the e-mail, if the provider says that it is theirs.
func (c claims) verified() string {
	if c.Verified == true || c.Verified == "true" {
		return c.Email
	}
	return ""
}

// maxSubject is how long a subject may be as it is kept: the issuer, `#`, and the `sub`.
const maxSubject = 200

// read takes from the ID token who it is, and the e-mail from the userinfo endpoint where the
// token does not hold it (OpenID Connect Core §5.4).
func (f *found) read(ctx context.Context, p *provider, id *oidc.IDToken, tokens *oauth2.Token) (identity, error) {
	var c claims
	if err := id.Claims(&c); err != nil {
		return identity{}, failed("ID token", err)
	}
	// A sub means nothing without its issuer; there is no `#` in one of those.
	who := identity{subject: p.Issuer + "#" + id.Subject, sub: id.Subject, email: c.verified()}
	if id.Subject == "" || len(who.subject) > maxSubject {
		return identity{}, fmt.Errorf("%w: ID token: its sub is empty, or with the issuer longer than %d bytes", ErrProvider, maxSubject)
	}
	if c.AuthTime != nil {
		who.signedIn = time.Unix(*c.AuthTime, 0)
		if now := p.now(); who.signedIn.After(now) {
			who.signedIn = now
		}
	}
	if c.Email != "" || f.UserInfoEndpoint() == "" {
		return who, nil
	}
	info, err := f.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return identity{}, failed("userinfo endpoint", err)
	}
	// OpenID Connect Core §5.3.2: another's userinfo is not looked at.
	if info.Subject != id.Subject {
		return identity{}, fmt.Errorf("%w: userinfo endpoint: it answers for somebody else", ErrProvider)
	}
	if info.EmailVerified {
		who.email = info.Email
	}
	return who, nil
}

// nobody is ErrNobody. The log gets the sub, by which an administrator may add them.
func (who *identity) nobody() error {
	return fmt.Errorf("%w (their sub there is %q)", ErrNobody, who.sub)
}

// match finds the person: who signed in there before; or, once, whose subject an administrator
// wrote, or whose name is the verified e-mail. Nobody is made.
func (s *SignIn) match(ctx context.Context, who identity) (domain.Person, error) {
	p, err := s.person(ctx, func(p *domain.Person) bool { return p.Subject == who.subject })
	// A sub with a `#` could read as what is kept of somebody else: it is matched whole only.
	if errors.Is(err, domain.ErrNotFound) && !strings.Contains(who.sub, "#") {
		p, err = s.person(ctx, func(p *domain.Person) bool { return p.Subject == who.sub })
	}
	if errors.Is(err, domain.ErrNotFound) && who.email != "" {
		p, err = s.People.FindPerson(ctx, foldName(who.email))
		if err == nil && p.Subject != "" {
			return domain.Person{}, who.nobody() // the name is bound to somebody else there
		}
	}
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return domain.Person{}, who.nobody()
	case err != nil:
		return domain.Person{}, fmt.Errorf("sign in: %w", err)
	case p.Status != domain.Enabled:
		return domain.Person{}, who.nobody()
	case p.Subject == who.subject:
		return p, nil
	}
	return s.People.UpdatePerson(ctx, Actor(&p), p.ID, p.Version, func(p *domain.Person) error {
		p.Subject = who.subject
		return nil
	})
}
