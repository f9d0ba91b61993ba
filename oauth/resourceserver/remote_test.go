package resourceserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// published is a key set behind a transport in memory, so that time can be faked.
type published struct {
	mu      sync.Mutex
	keys    []jwt.PublicKey
	down    bool
	takes   time.Duration
	fetches int
}

func (p *published) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.fetches++
	down, takes := p.down, p.takes
	body, err := jwt.MarshalJWKS(p.keys)
	p.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status := http.StatusOK
	if down {
		status = http.StatusBadGateway
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, err
}

func (p *published) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *published) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

func publicKey(t *testing.T) jwt.PublicKey {
	t.Helper()
	k, err := jwt.Generate(jwt.EdDSA, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

// inTime runs f with a faked clock, a key set of one key and a Remote of it.
func inTime(t *testing.T, f func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		first := publicKey(t)
		p := &published{keys: []jwt.PublicKey{first}}
		r, err := resourceserver.NewRemote(resourceserver.RemoteConfig{URL: "https://as.example/jwks", Transport: p})
		if err != nil {
			t.Fatal(err)
		}
		f(t, p, r, first)
	})
}

// has asks for the key, and says how often that made the source fetch once all
// is quiet.
func has(t *testing.T, p *published, r *resourceserver.Remote, kid string, want bool, fetches int) {
	t.Helper()
	before := p.count()
	keys, err := r.Keys(t.Context(), kid)
	if err != nil {
		t.Fatalf("Keys: %v", err)
	}
	if _, got := keys.Algorithm(kid); got != want {
		t.Errorf("key known: %t, want %t", got, want)
	}
	synctest.Wait()
	if n := p.count() - before; n != fetches {
		t.Errorf("%d fetches, want %d", n, fetches)
	}
}

func TestStampede(t *testing.T) { // one fetch for a hundred
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		p.takes = time.Second
		for range 2 { // cold, then for a key that nobody knows
			var failed atomic.Int32
			var group sync.WaitGroup
			kid := first.ID
			if p.count() > 0 {
				time.Sleep(resourceserver.DefaultCooldown)
				second := publicKey(t)
				p.set(func() { p.keys = append(p.keys, second) })
				kid = second.ID
			}
			before := p.count()
			for range 100 {
				group.Go(func() {
					keys, err := r.Keys(t.Context(), kid)
					if _, ok := keys.Algorithm(kid); err != nil || !ok {
						failed.Add(1)
					}
				})
			}
			group.Wait()
			if n := p.count() - before; n != 1 || failed.Load() != 0 {
				t.Errorf("%d fetches, %d without the key", n, failed.Load())
			}
		}
	})
}

func TestRotationAndRemoval(t *testing.T) { // D-58
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		has(t, p, r, first.ID, true, 1)
		time.Sleep(time.Minute)
		second := publicKey(t)
		p.set(func() { p.keys = append(p.keys, second) })
		has(t, p, r, second.ID, true, 1) // at once, by its id
		p.set(func() { p.keys = p.keys[1:] })
		time.Sleep(resourceserver.DefaultRefresh - time.Second)
		has(t, p, r, first.ID, true, 0)
		time.Sleep(time.Second)
		has(t, p, r, second.ID, true, 1) // in the background
		has(t, p, r, first.ID, false, 0) // gone, and the cooldown holds
		p.set(func() { p.keys = append(p.keys, first) })
		time.Sleep(resourceserver.DefaultCooldown)
		has(t, p, r, first.ID, true, 1) // back: nobody had looked in vain
	})
}

// After an idle time nobody is answered from what was published long ago.
func TestIdleWaits(t *testing.T) { // D-58
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		has(t, p, r, first.ID, true, 1)
		p.set(func() { p.keys = nil }) // an issuer that withdraws everything is believed
		time.Sleep(2 * resourceserver.DefaultRefresh)
		has(t, p, r, first.ID, false, 1)
	})
}

func TestUnknownKeysMakeNoStorm(t *testing.T) { // D-43
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		has(t, p, r, first.ID, true, 1)
		has(t, p, r, "a", false, 0) // cooldown
		has(t, p, r, "", false, 0)
		time.Sleep(resourceserver.DefaultCooldown)
		has(t, p, r, "", false, 0)  // a token that names none is no reason
		has(t, p, r, "a", false, 1) // not looked for before
		time.Sleep(resourceserver.DefaultCooldown)
		has(t, p, r, "a", false, 0) // looked for in vain a moment ago
		has(t, p, r, "b", false, 1)
		before := p.count()
		for n := range 1000 {
			has(t, p, r, fmt.Sprint("hostile", n), false, 0)
		}
		for n := range 60 {
			time.Sleep(time.Second)
			if _, err := r.Keys(t.Context(), fmt.Sprint("again", n)); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.count() - before; n > 6 {
			t.Errorf("%d fetches in a minute", n)
		}
		has(t, p, r, first.ID, true, 0)
	})
}

func TestServerDown(t *testing.T) { // the last good keys serve for KeepGood
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		has(t, p, r, first.ID, true, 1)
		p.set(func() { p.down, p.takes = true, time.Second })
		began := time.Now()
		for time.Since(began) < resourceserver.DefaultKeepGood-time.Minute {
			time.Sleep(30 * time.Second)
			asked := time.Now()
			has(t, p, r, first.ID, true, count(time.Since(began) >= resourceserver.DefaultRefresh))
			if took := time.Since(asked); took != 0 {
				t.Fatalf("a call waited %v for a server that is down", took)
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(time.Minute)
		_, err := r.Keys(t.Context(), first.ID)
		if !errors.Is(err, resourceserver.ErrUnavailable) || !strings.Contains(err.Error(), "502") {
			t.Errorf("after KeepGood: %v", err)
		}
		p.set(func() { p.down = false })
		time.Sleep(resourceserver.DefaultCooldown)
		has(t, p, r, first.ID, true, 1)
	})
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// A fetch outlives neither its own time nor is it cut by the request that began it.
func TestSlowServer(t *testing.T) { // D-29
	inTime(t, func(t *testing.T, p *published, r *resourceserver.Remote, first jwt.PublicKey) {
		p.takes = time.Hour
		began := time.Now()
		if _, err := r.Keys(t.Context(), first.ID); !errors.Is(err, resourceserver.ErrUnavailable) || time.Since(began) != resourceserver.DefaultTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		p.set(func() { p.takes = time.Second })
		time.Sleep(resourceserver.DefaultCooldown)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := r.Keys(ctx, first.ID); !errors.Is(err, resourceserver.ErrUnavailable) {
			t.Errorf("client gone: %v", err)
		}
		has(t, p, r, first.ID, true, 0) // the fetch went on
	})
}
