package clientauth

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/oauth"
)

const (
	home  = "203.0.113.9"  // of the victim
	enemy = "198.51.100.1" // of the attacker
)

// D-13: beyond the limit a guess is not evaluated, not even the right one.
func TestGuessesEnd(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.client("VibesUser", hash)
		for i := range 10 {
			r, err := s.try("VibesUser", fmt.Sprint("guess", i), enemy)
			want(t, r, err, oauth.FailureCredentialsWrong)
		}
		r, err := s.try("VibesUser", "Password123", enemy)
		want(t, r, err, oauth.FailureTooManyAttempts)
		if n := s.slow.Load(); n != 10 {
			t.Errorf("%d guesses evaluated, want 10", n)
		}
		for range 10 { // ids that do not exist have the same limit: 429 tells nothing
			r, err := s.try("nobody", "x", enemy)
			want(t, r, err, oauth.FailureCredentialsWrong)
		}
		r, err = s.try("nobody", "x", enemy)
		want(t, r, err, oauth.FailureTooManyAttempts)
		time.Sleep(ratelimit.SourceWindow)
		r, err = s.try("VibesUser", "Password123", enemy)
		want(t, r, err, "")
	})
}

// D-13: whatever the attacker does, from wherever, the victim is served.
func TestNobodyLocksTheVictimOut(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.client("VibesUser", hash)
		r, err := s.try("VibesUser", "Password123", home)
		want(t, r, err, "")

		for i := range 100 { // every guess that all sources together have
			r, err := s.try("VibesUser", fmt.Sprint("guess", i), fmt.Sprintf("198.51.100.%d", i))
			want(t, r, err, oauth.FailureCredentialsWrong)
		}
		for i := range 20 { // and those of the victim's own address
			s.try("VibesUser", fmt.Sprint("guess", i), home) //nolint:errcheck // wrong
		}
		evaluated := s.slow.Load()
		r, err = s.try("VibesUser", "wrong", home)
		want(t, r, err, oauth.FailureTooManyAttempts)
		for range 100 {
			r, err = s.try("VibesUser", "Password123", home)
			want(t, r, err, "")
		}
		if s.slow.Load() != evaluated {
			t.Error("what is remembered was evaluated again")
		}

		// The memory answers no stranger: that would be guessing without a limit.
		r, err = s.try("VibesUser", "Password123", "192.0.2.77")
		want(t, r, err, oauth.FailureTooManyAttempts)
		// After a restart nothing is remembered; the victim's address still is.
		again := newScene(t, true)
		again.rows.m, again.Guesses = s.rows.m, s.Guesses
		time.Sleep(ratelimit.SourceWindow)
		r, err = again.try("VibesUser", "wrong", "192.0.2.77")
		want(t, r, err, oauth.FailureTooManyAttempts)
		r, err = again.try("VibesUser", "Password123", home)
		want(t, r, err, "")
	})
}

// RULES: generated secrets have no guess limit, and the right one is always served.
func TestGeneratedIsAlwaysServed(t *testing.T) {
	for _, imports := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, imports)
			right := generated(s, "a")
			limited := 0
			for range 2 * ratelimit.SourceFailures {
				_, err := s.try("a", "pst_wrong", enemy)
				if err.(*oauth.Error).Failure == oauth.FailureTooManyAttempts {
					limited++
				}
				r, err := s.try("a", string(right), enemy)
				want(t, r, err, "")
			}
			if limited == 0 {
				t.Error("no limit on failures")
			}
		})
	}
}

// D-13: x/oauth2 tries Basic, encoded, and when that fails the body. Each round is a new process that knows nothing.
func TestProbingOfTheAuthStyle(t *testing.T) {
	for _, plain := range []string{"Password123", "p+ss w%rd", "100%41"} {
		hash := argon2(t, plain)
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, true)
			s.client("Vibes+User", hash)
			for range 200 {
				r, err := s.basic("Vibes+User", plain, home)
				if err != nil {
					r, err = s.try("Vibes+User", plain, home)
				}
				want(t, r, err, "")
			}
			// Where Basic is wrong, as with an older SDK that cuts something off, the body still gets through.
			for range 200 {
				s.basic("Vibes+User", plain+"\n", home) //nolint:errcheck // wrong
				r, err := s.try("Vibes+User", plain, home)
				want(t, r, err, "")
			}
		})
	}
}

// Many connections that begin at once with the same credentials cost one hash and no limit.
func TestManyBeginAtOnce(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.slowTime = time.Second
		s.client("VibesUser", hash)
		for _, plain := range []string{"wrong", "Password123"} {
			s.slow.Store(0)
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					r, err := s.try("VibesUser", plain, home)
					if plain == "wrong" {
						want(t, r, err, oauth.FailureCredentialsWrong)
					} else {
						want(t, r, err, "")
					}
				})
			}
			wg.Wait()
			if n := s.slow.Load(); n != 1 {
				t.Errorf("%s: %d evaluations, want 1", plain, n)
			}
		}
	})
}

// A flood from everywhere takes the seats, but not those kept for who was here before.
func TestSeats(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.client("VibesUser", hash)
		s.Guesses.Succeeded(ratelimit.Client{Issuer: s.issuer, ID: "VibesUser"}, ratelimit.SourceOf(s.request(oauth.Credentials{}, home).Source))
		var mu sync.Mutex
		got := map[oauth.Failure]int{}
		flood := func(n int, source func(i int) string) {
			for i := range n {
				go func() {
					_, err := s.try(fmt.Sprint("nobody", i), "x", source(i))
					mu.Lock()
					defer mu.Unlock()
					got[err.(*oauth.Error).Failure]++
				}()
			}
			synctest.Wait()
		}
		flood(100, func(int) string { return enemy })
		if n := got[oauth.FailureTooManyAttempts]; n != 100-seatsPerSource {
			t.Errorf("one source: %d of 100 refused, want %d", n, 100-seatsPerSource)
		}
		flood(100, func(i int) string { return fmt.Sprintf("198.51.101.%d", i) })
		if n := got[oauth.FailureTooManyAttempts]; n != 200-(maxSeats-seatsForOld) {
			t.Errorf("all sources: %d of 200 refused, want %d", n, 200-(maxSeats-seatsForOld))
		}
		r, err := s.try("VibesUser", "Password123", "192.0.2.1")
		want(t, r, err, oauth.FailureTooManyAttempts)
		r, err = s.try("VibesUser", "Password123", home)
		want(t, r, err, "")
		time.Sleep(FailureTime)
		synctest.Wait()
		if got[oauth.FailureCredentialsWrong] != maxSeats-seatsForOld {
			t.Errorf("%d answered in the end, want %d", got[oauth.FailureCredentialsWrong], maxSeats-seatsForOld)
		}
		if s.seatsTaken() != 0 || len(s.seats.bySource) != 0 || len(s.flights.flying) != 0 || s.flights.passengers != 0 {
			t.Error("something was left behind")
		}
	})
}

// A client that hangs up gives its seat and its guess no earlier back than another.
func TestHangingUp(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.client("VibesUser", hash)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		for range 30 {
			go s.Authenticate(gone, s.request(oauth.Credentials{ID: "VibesUser", Secret: "x"}, enemy)) //nolint:errcheck // wrong
		}
		synctest.Wait()
		if taken := s.seatsTaken(); taken != 1 || s.slow.Load() != 1 {
			t.Errorf("%d seats, %d evaluations, want one each", taken, s.slow.Load())
		}
		time.Sleep(FailureTime)
		synctest.Wait()
		if s.seatsTaken() != 0 {
			t.Error("the seat is not free again")
		}
	})
}

func (s *scene) seatsTaken() int {
	s.seats.mu.Lock()
	defer s.seats.mu.Unlock()
	return s.seats.taken
}

// D-14: a long spray of invented ids from invented addresses leaves nothing behind.
func TestSprayingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		spray := func(from, to int) {
			for i := from; i < to; i += 32 {
				var wg sync.WaitGroup
				for j := i; j < i+32; j++ {
					wg.Go(func() {
						s.try(fmt.Sprintf("%0200d", j), "x", fmt.Sprintf("10.%d.%d.%d", j>>16&255, j>>8&255, j&255)) //nolint:errcheck // wrong
					})
				}
				wg.Wait()
			}
		}
		spray(0, 10_000)
		before := heap()
		spray(10_000, 40_000)
		if grown := heap() - before; grown > 1<<20 {
			t.Errorf("30,000 more took %d bytes", grown)
		}
		runtime.KeepAlive(s)
	})
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // small
}

// D-13: behind a flood of slow guesses, those who were here before have their own way to the gate.
func TestTrustedPassTheFlood(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.slowTime = 100 * time.Millisecond
		s.client("VibesUser", hash)
		s.Guesses.Succeeded(ratelimit.Client{Issuer: s.issuer, ID: "VibesUser"}, ratelimit.SourceOf(s.request(oauth.Credentials{}, home).Source))
		for i := range 60 {
			s.client(fmt.Sprint("crowd", i), hash)
			go s.try(fmt.Sprint("crowd", i), "x", fmt.Sprintf("198.51.100.%d", i)) //nolint:errcheck // wrong
		}
		synctest.Wait()
		start := time.Now()
		r, err := s.try("VibesUser", "Password123", home)
		want(t, r, err, "")
		if took, all := time.Since(start), 24*s.slowTime; took > all/2 {
			t.Errorf("took %v; all the flood takes %v", took, all)
		}
		time.Sleep(time.Minute)
	})
}
