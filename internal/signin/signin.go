package signin

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// Fresh is how long after a sign-in a platform admin may change what belongs to no client.
const Fresh = 15 * time.Minute

// What a session lasts where Config says nothing.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultAbsolute = 12 * time.Hour
)

// People is what signin does to people. *registry.Registry does it, for Postern itself: one on
// which As was not called.
type People interface {
	// FindPerson returns domain.ErrNotFound where nobody has the name.
	FindPerson(ctx context.Context, name string) (domain.Person, error)
	ListPeople(ctx context.Context, page domain.Page) ([]domain.Person, error)
	// CreatePerson returns the person with domain.ErrBehind too: they are there.
	CreatePerson(ctx context.Context, by domain.Actor, p domain.Person) (domain.Person, error)
	// UpdatePerson changes what change changes: the role, the reach, the status, the subject.
	UpdatePerson(ctx context.Context, by domain.Actor, id string, ifVersion int64, change func(*domain.Person) error) (domain.Person, error)
	// SetPassword replaces the hash and raises the epoch, of the version given; 0: of any.
	SetPassword(ctx context.Context, by domain.Actor, id string, ifVersion int64, argon2id string) error
}

// Config is what SignIn works with. All of it must be there unless said otherwise.
type Config struct {
	Store   domain.Store // people and API keys are read from it at each request
	Records domain.Records
	People  People
	Peppers *secret.Peppers
	Gate    *secret.Gate // for slow hashes; one for all names and sources
	Now     func() time.Time
	// Local is the clock of this machine, for what is counted.
	Local func() time.Time

	Idle, Absolute time.Duration // of sessions; zero: the defaults
	OIDC           *OIDC         // nil: there is no OpenID provider
	Directory      string        // data directory, for the file with the first link

	// Tokens verifies the token of a request as one of a management issuer, by that issuer's
	// keys. nil: there is no management issuer. Its error says why not; domain.ErrStale
	// in it says that it cannot be told now.
	Tokens func(r *http.Request, source netip.Addr) (issuer string, client domain.Client, scope oauth.Scope, err error)
	// Record keeps sign-ins and refused ones as activity.
	Record func(ctx context.Context, e domain.Entry) error
}

// SignIn knows administrators. It is safe for concurrent use.
type SignIn struct {
	Config
	sessions *sessions
	provider *provider // nil: none
	names    *ratelimit.Guesses
	sources  *ratelimit.Guesses
	keys     *ratelimit.Failures
	// strangers are the places before the gate for sources that never signed in.
	strangers chan struct{}
	hasAdmin  atomic.Bool // there was one, so there is: registry keeps the last
}

// strangersAtGate is how many of the gate's places are theirs who never signed in.
const strangersAtGate = 12

// New returns a SignIn that nothing has been counted against.
func New(c Config) *SignIn {
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	if c.Absolute == 0 {
		c.Absolute = DefaultAbsolute
	}
	s := &SignIn{
		Config: c, sessions: newSessions(c),
		names: ratelimit.NewGuesses(c.Local), sources: ratelimit.NewGuesses(c.Local), keys: ratelimit.NewFailures(c.Local),
		strangers: make(chan struct{}, strangersAtGate),
	}
	if c.OIDC != nil {
		s.provider = newProvider(*c.OIDC, c.Now)
	}
	return s
}

// NoAdminYet reports whether nobody can administer yet: until then only this machine is
// answered (D-99).
func (s *SignIn) NoAdminYet(ctx context.Context) (bool, error) {
	if s.hasAdmin.Load() {
		return false, nil
	}
	_, err := s.person(ctx, func(p *domain.Person) bool { return p.Role == domain.PlatformAdmin && p.Status == domain.Enabled })
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	}
	s.hasAdmin.Store(true)
	return false, nil
}

// peoplePage is how many people are read at once.
const peoplePage = 200

// person is the first for whom is says so, or domain.ErrNotFound.
func (s *SignIn) person(ctx context.Context, is func(*domain.Person) bool) (domain.Person, error) {
	page := domain.Page{Limit: peoplePage}
	for {
		people, err := s.People.ListPeople(ctx, page)
		if err != nil {
			return domain.Person{}, err
		}
		for i := range people {
			if is(&people[i]) {
				return people[i], nil
			}
		}
		if len(people) < page.Limit {
			return domain.Person{}, domain.ErrNotFound
		}
		page.After = people[len(people)-1].ID
	}
}

// The actions of activity.
const (
	SessionBegan   domain.Action = "session.begin"
	SessionEnded   domain.Action = "session.end"
	SessionRefused domain.Action = "session.refuse"
)

// note records what happened in a sign-in. No text that came from outside is in it: people
// write passwords where a name belongs.
func (s *SignIn) note(ctx context.Context, action domain.Action, p *domain.Person, source netip.Addr, reason string) error {
	e := domain.Entry{ID: domain.NewEventID(s.Now()), Action: action, Reason: reason}
	if p != nil {
		e.Actor = string(Actor(p))
	}
	if source.IsValid() {
		e.Source = source.String()
	}
	return s.Record(ctx, e)
}

// Actor is the actor of what a person does.
func Actor(p *domain.Person) domain.Actor { return domain.Actor("person:" + p.Name) }
