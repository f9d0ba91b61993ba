package resourceserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

// What a Remote does unless told otherwise.
const (
	DefaultRefresh  = 5 * time.Minute
	DefaultKeepGood = time.Hour
	DefaultCooldown = 10 * time.Second
	DefaultTimeout  = 5 * time.Second
)

// Bounds of the memory of key ids that the issuer does not know.
const (
	maxAbsent   = 256
	absentFor   = time.Minute
	idleRefresh = 2 // times Refresh: nobody asked meanwhile, so the answer is waited for
)

// RemoteConfig says where a key set lies and how often it is asked for. Only URL
// must be given.
type RemoteConfig struct {
	URL string // `jwks_uri`: https, or http to a loopback address
	// Refresh is the age at which keys are fetched anew. While calls come in, a key
	// that was withdrawn is believed no longer than this and one fetch.
	Refresh time.Duration
	// KeepGood is the age to which keys are believed while every fetch fails.
	// After it every token is refused with ErrUnavailable.
	KeepGood time.Duration
	// Cooldown is the least time between two fetches, whatever tokens ask for.
	Cooldown time.Duration
	Timeout  time.Duration // for one fetch, body included
	// Transport replaces the one made here, and with it the refusal to connect to
	// link-local addresses. For proxies, private roots, tests.
	Transport http.RoundTripper
	Now       func() time.Time // nil: time.Now
}

// Remote is the key set that an issuer publishes. It fetches when it is asked,
// never twice at a time, and has no goroutine between calls.
type Remote struct {
	config RemoteConfig
	client *http.Client
	good   atomic.Pointer[keySet] // the last good one

	mu     sync.Mutex
	flight *flight
	tried  time.Time            // when the last fetch started
	failed error                // why the last fetch failed, if it did
	absent map[string]time.Time // key ids looked for in vain, until when
}

type keySet struct {
	keys jwt.Keys
	at   time.Time // when its fetch started
}

// flight is a fetch under way.
type flight struct {
	done chan struct{}
	wait bool // the keys at hand are not good enough for anybody
	good bool // it brought keys; to be read when done
}

// NewRemote checks the URL. It fetches nothing yet.
func NewRemote(c RemoteConfig) (*Remote, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("remote keys: URL cannot be read")
	}
	plain := u.Scheme == "http" && loopbackName(u.Hostname())
	if u.Host == "" || u.User != nil || (u.Scheme != "https" && !plain) {
		return nil, errors.New("remote keys: URL must be https, or http to a loopback address, without credentials")
	}
	orElse(&c.Refresh, DefaultRefresh)
	orElse(&c.KeepGood, DefaultKeepGood)
	orElse(&c.Cooldown, DefaultCooldown)
	orElse(&c.Timeout, DefaultTimeout)
	if c.KeepGood < c.Refresh {
		c.KeepGood = c.Refresh
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = transport(plain)
	}
	return &Remote{
		config: c,
		client: &http.Client{Transport: c.Transport, CheckRedirect: sameHost},
		absent: map[string]time.Time{},
	}, nil
}

func orElse(d *time.Duration, otherwise time.Duration) {
	if *d <= 0 {
		*d = otherwise
	}
}

// Keys returns the keys as they were published last, after a fetch if they are
// too old or do not hold kid. The error is ErrUnavailable.
func (r *Remote) Keys(ctx context.Context, kid string) (jwt.Keys, error) {
	now := r.config.Now()
	if s := r.good.Load(); s.younger(now, r.config.Refresh) && s.has(kid) {
		return s.keys, nil
	}
	f := r.board(kid, now)
	if f != nil {
		select {
		case <-f.done:
		case <-ctx.Done():
			return jwt.Keys{}, unavailable(ctx.Err())
		}
	}
	now = r.config.Now()
	s := r.good.Load()
	if !s.younger(now, r.config.KeepGood) {
		return jwt.Keys{}, r.failure()
	}
	if f != nil && f.good && !s.has(kid) {
		r.missed(kid, now)
	}
	return s.keys, nil
}

// missed remembers that a fetch did not bring the key, so that nobody fetches for it soon
// (D-43). What is full forgets: the cooldown still holds.
func (r *Remote) missed(kid string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inVain(kid, now) {
		return
	}
	if len(r.absent) >= maxAbsent {
		clear(r.absent)
	}
	r.absent[kid] = now.Add(absentFor)
}

// board decides whether a fetch is needed, starts it unless one is under way, and
// returns it if it must be waited for.
func (r *Remote) board(kid string, now time.Time) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.good.Load()
	fresh := s.younger(now, r.config.Refresh)
	unknown := !s.has(kid) && !r.inVain(kid, now)
	if fresh && !unknown {
		return nil
	}
	idle := idleRefresh * r.config.Refresh
	useless := !s.younger(now, r.config.KeepGood) || (!s.younger(now, idle) && now.Sub(r.tried) >= idle)
	if r.flight == nil {
		if !r.tried.IsZero() && now.Sub(r.tried) < r.config.Cooldown { // D-43
			return nil
		}
		r.tried, r.flight = now, &flight{done: make(chan struct{}), wait: useless}
		go r.fly(r.flight, now)
	}
	if unknown || useless || r.flight.wait {
		return r.flight
	}
	return nil
}

// inVain reports whether the key was looked for a short while ago.
func (r *Remote) inVain(kid string, now time.Time) bool {
	until, ok := r.absent[kid]
	return kid == "" || (ok && now.Before(until))
}

// fly fetches and lands. The fetch has a deadline of its own: it serves more than
// the request that started it.
func (r *Remote) fly(f *flight, start time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), r.config.Timeout)
	defer cancel()
	keys, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed = err; err == nil {
		r.good.Store(&keySet{keys, start})
		f.good = true
	}
	r.flight = nil
	close(f.done)
}

func (r *Remote) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		return ErrUnavailable
	}
	return unavailable(r.failed)
}

func (s *keySet) younger(now time.Time, than time.Duration) bool {
	return s != nil && now.Sub(s.at) < than
}

func (s *keySet) has(kid string) bool {
	if s == nil {
		return false
	}
	_, ok := s.keys.Algorithm(kid)
	return ok
}
