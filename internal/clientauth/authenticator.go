package clientauth

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// FailureTime is the default of Config.FailureTime. Slow hashes met in practice,
// bcrypt of cost 12 and PBKDF2 of 600,000 rounds, take about half of it.
const FailureTime = 500 * time.Millisecond

// Clients finds clients. Where there is none it returns domain.ErrNotFound; any
// other error means that it cannot be known now.
type Clients interface {
	Client(ctx context.Context, issuer, id string) (*snapshot.Client, error)
}

// Config is what an Authenticator needs.
type Config struct {
	Clients  Clients
	Peppers  *secret.Peppers
	Gate     *secret.Gate
	Guesses  *ratelimit.Guesses  // for issuers with imported secrets
	Failures *ratelimit.Failures // for the others
	Now      func() time.Time    // judges expiry; never durations

	// FailureTime is how long after it came a wrong attempt is answered in an
	// issuer with imported secrets; zero: FailureTime. It grows by itself where
	// a hash turns out to be slower.
	FailureTime time.Duration
	// Trust, if set, is called at the first success of each day of a source in
	// an issuer with imported secrets, to be written to activity and given to
	// Guesses.Preload at the next start. It must not block.
	Trust func(issuer, client string, source ratelimit.Source)
	// Rehash, if set, is called with the better hash of a secret that was
	// just used. It runs on a goroutine of its own and may block. Where it could
	// not keep the hash, the next use of the secret tries again.
	Rehash func(issuer, client, secretID, oldHash, newHash string) (kept bool)
}

// Authenticator authenticates clients. It is safe for concurrent use.
type Authenticator struct {
	Config

	memory  memory
	flights flights
	seats   seats
	doors   doors
	failing failing
	dummy   atomic.Pointer[secret.Verifier]

	rehashing  atomic.Int32
	background sync.WaitGroup

	// verify is Verifier.Verify; tests count its calls.
	verify func(v secret.Verifier, issuer, client, secretID string, s oauth.Secret) bool
}

// New returns an Authenticator that remembers nothing yet.
func New(c Config) *Authenticator {
	if c.FailureTime == 0 {
		c.FailureTime = FailureTime
	}
	a := &Authenticator{Config: c}
	a.memory.init()
	a.doors = newDoors()
	a.failing.raise(c.FailureTime)
	a.verify = func(v secret.Verifier, issuer, client, secretID string, s oauth.Secret) bool {
		return v.Verify(c.Peppers, issuer, client, secretID, s)
	}
	return a
}

// Wait returns when the hashes being made again are handed over.
func (a *Authenticator) Wait() { a.background.Wait() }

// Request is an attempt to authenticate.
type Request struct {
	Issuer          string // by name
	ImportedSecrets bool   // as the issuer says
	Tenant          string // whose host it came to, by id; empty: nobody's
	Credentials     oauth.Credentials
	Source          netip.Addr
}

// Result says who it is.
type Result struct {
	Client   *snapshot.Client // nil where the attempt failed
	SecretID string           // the secret that was used
	// Known is the id of the client that exists under the id given, also where
	// the attempt failed, Tenant that of its tenant. They are for activity only and
	// allow nothing.
	Known, Tenant string
}

// Authenticate finds the client whose credentials these are. Its errors are
// *oauth.Error: credentials_wrong, too_many_attempts with RetryAfter, and
// unavailable where clients cannot be looked up now.
func (a *Authenticator) Authenticate(ctx context.Context, in Request) (Result, error) {
	if c := in.Credentials; c.ID == "" || c.Secret == "" || len(c.ID) > secret.MaxLength || len(c.Secret) > secret.MaxLength {
		return Result{}, in.wrong() // D-10: before anything is looked up or hashed; D-18
	}
	var at attempt
	if in.ImportedSecrets {
		at.begun = time.Now()
	}
	if err := a.find(ctx, &in, &at); err != nil {
		return Result{}, &oauth.Error{Failure: oauth.FailureUnavailable, Basic: in.Credentials.Basic, RetryAfter: time.Second, Err: err}
	}
	if in.ImportedSecrets {
		return a.imported(&in, &at, ctx.Done())
	}
	return a.generated(&in, &at)
}

// generated authenticates in an issuer whose secrets are all of our making.
func (a *Authenticator) generated(in *Request, at *attempt) (Result, error) {
	if m, ok := a.keyed(in, at, failingHashes); ok {
		return a.succeed(in, m), nil
	}
	if wait := a.Failures.Add(ratelimit.SourceOf(in.Source)); wait > 0 {
		return at.refused(), in.tooMany(wait)
	}
	return at.refused(), in.wrong()
}

// find looks up the clients that the credentials may mean.
func (a *Authenticator) find(ctx context.Context, in *Request, at *attempt) error {
	at.now = a.Now()
	raw := in.Credentials
	c, err := a.client(ctx, in.Issuer, raw.ID)
	if err != nil {
		return err
	}
	at.add(in, c, raw)
	decoded, ok := decode(in)
	if !ok {
		return nil
	}
	if decoded.ID != raw.ID {
		if c, err = a.client(ctx, in.Issuer, decoded.ID); err != nil {
			return err
		}
	}
	if c != nil && c.Imported {
		at.add(in, c, decoded)
	}
	return nil
}

func (a *Authenticator) client(ctx context.Context, issuer, id string) (*snapshot.Client, error) {
	c, err := a.Clients.Client(ctx, issuer, id)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, nil //nolint:nilnil // no client is an answer here
	}
	return c, err
}

// refused tells activity who it was that failed.
func (at *attempt) refused() Result { return Result{Known: at.known, Tenant: at.tenant} }

// wrong is the one error for whatever is wrong with credentials.
func (in *Request) wrong() error {
	return &oauth.Error{Failure: oauth.FailureCredentialsWrong, Basic: in.Credentials.Basic}
}

func (in *Request) tooMany(wait time.Duration) error {
	wait = max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
	return &oauth.Error{Failure: oauth.FailureTooManyAttempts, Basic: in.Credentials.Basic, RetryAfter: wait}
}
