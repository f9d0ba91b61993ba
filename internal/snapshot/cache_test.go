package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// rows is what is stored, and how long it takes to read it.
type rows struct {
	mu    sync.Mutex
	epoch map[string]int64
	fail  error

	reads   atomic.Int32
	stalled func(context.Context) // called between reading a row and returning it
}

func (r *rows) set(key string, epoch int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epoch == nil {
		r.epoch = map[string]int64{}
	}
	r.epoch[key] = epoch
}

func (r *rows) read(ctx context.Context, key string) (domain.Client, error) {
	r.reads.Add(1)
	r.mu.Lock()
	epoch, there := r.epoch[key]
	err := r.fail
	r.mu.Unlock()
	if r.stalled != nil {
		r.stalled(ctx)
	}
	switch {
	case err != nil:
		return domain.Client{}, err
	case !there:
		return domain.Client{}, domain.ErrNotFound
	}
	return domain.Client{Issuer: "i", ID: key, Epoch: epoch}, nil
}

func k(id string) clientKey { return clientKey{"i", id} }

// got waits for the answer of a get in a bubble of synctest.
type got struct {
	c   *Client
	err error
}

func getting(ctx context.Context, c *cache, id string) <-chan got {
	answer := make(chan got, 1)
	go func() {
		found, err := c.get(ctx, k(id))
		answer <- got{found, err}
	}()
	return answer
}

// RULES: a fill that an invalidation overtakes is discarded: what the row was before the
// change is never served after it, and never kept.
func TestOvertakenFill(t *testing.T) {
	for name, overtake := range map[string]func(*cache){
		"by a change of the client": func(c *cache) { c.invalidate(k("a")) },
		"by a reload":               func(c *cache) { c.clear() },
	} {
		for was, before := range map[string]int64{"changed": 1, "created": 0} {
			t.Run(was+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					r := &rows{}
					r.stalled = func(context.Context) { <-release }
					if before > 0 {
						r.set("i/a", before)
					}
					c := newCache(10, r.read)
					early := getting(t.Context(), c, "a")
					synctest.Wait() // the old row is read, and not returned
					r.set("i/a", 2)
					overtake(c)
					late := getting(t.Context(), c, "a") // after the change was acknowledged
					synctest.Wait()
					close(release)
					for _, answer := range []<-chan got{early, late} {
						if g := <-answer; g.err != nil || g.c.Epoch != 2 {
							t.Errorf("served %+v, %v", g.c, g.err)
						}
					}
					if found, err := c.get(t.Context(), k("a")); err != nil || found.Epoch != 2 {
						t.Errorf("kept %+v, %v", found, err)
					}
					if n := r.reads.Load(); n != 2 {
						t.Errorf("%d reads, want 2", n)
					}
				})
			})
		}
	}
}

// A change of another client does not make this one be read again.
func TestOtherInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &rows{stalled: func(context.Context) { <-release }}
		r.set("i/a", 1)
		c := newCache(10, r.read)
		answer := getting(t.Context(), c, "a")
		synctest.Wait()
		c.invalidate(k("b"))
		c.invalidate(clientKey{"j", "a"})
		close(release)
		if g := <-answer; g.err != nil || g.c.Epoch != 1 || r.reads.Load() != 1 {
			t.Errorf("%+v, %d reads", g, r.reads.Load())
		}
	})
}

// A read that ends after its time, overtaken, is no answer: fail closed.
func TestOvertakenOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{stalled: func(context.Context) { time.Sleep(fillTimeout + time.Second) }} // deaf to its context
		r.set("i/a", 1)
		c := newCache(10, r.read)
		early := getting(t.Context(), c, "a")
		synctest.Wait()
		r.set("i/a", 2)
		c.invalidate(k("a"))
		late := getting(t.Context(), c, "a")
		for _, answer := range []<-chan got{early, late} {
			if g := <-answer; g.err == nil || g.c != nil || errors.Is(g.err, domain.ErrNotFound) {
				t.Errorf("served %+v, %v", g.c, g.err)
			}
		}
		r.stalled = nil
		if found, err := c.get(t.Context(), k("a")); err != nil || found.Epoch != 2 {
			t.Errorf("then %+v, %v", found, err)
		}
	})
}

// A client that changes all the time is read until fillTimeout, not for ever.
func TestChangesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{}
		r.set("i/a", 1)
		var c *cache
		r.stalled = func(context.Context) {
			time.Sleep(100 * time.Millisecond)
			c.invalidate(k("a"))
		}
		c = newCache(10, r.read)
		start := time.Now()
		if found, err := c.get(t.Context(), k("a")); err == nil {
			t.Errorf("served %+v", found)
		}
		if took := time.Since(start); took > fillTimeout+time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

// Any number of requests for a client that is not known is one read.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &rows{stalled: func(context.Context) { <-release }}
		r.set("i/a", 1)
		c := newCache(10, r.read)
		var answers []<-chan got
		for range 100 {
			answers = append(answers, getting(t.Context(), c, "a"), getting(t.Context(), c, "none"))
		}
		synctest.Wait()
		close(release)
		for i, answer := range answers {
			g := <-answer
			if i%2 == 0 && (g.err != nil || g.c.Epoch != 1) || i%2 == 1 && !errors.Is(g.err, domain.ErrNotFound) {
				t.Fatalf("%d: %+v", i, g)
			}
		}
		if n := r.reads.Load(); n != 2 {
			t.Errorf("%d reads, want 2: one for each id", n)
		}
	})
}

// A request that ends waits no longer, and ends nobody else's wait; nor does the one that began it.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &rows{}
		r.set("i/a", 1)
		c := newCache(10, func(ctx context.Context, key string) (domain.Client, error) {
			select {
			case <-release:
				return r.read(ctx, key)
			case <-ctx.Done():
				return domain.Client{}, ctx.Err()
			}
		})
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancel(t.Context())
		began := getting(first, c, "a")
		synctest.Wait()
		waits, stays := getting(second, c, "a"), getting(t.Context(), c, "a")
		synctest.Wait()
		endSecond()
		if g := <-waits; !errors.Is(g.err, context.Canceled) {
			t.Errorf("the one that ended: %+v", g)
		}
		endFirst()
		synctest.Wait()
		close(release)
		if g := <-stays; g.err != nil || g.c.Epoch != 1 {
			t.Errorf("the one that stays: %+v", g)
		}
		<-began
		if r.reads.Load() != 1 {
			t.Errorf("%d reads", r.reads.Load())
		}
	})
}

// Absence is remembered, and forgotten when the client is created.
func TestAbsence(t *testing.T) {
	r := &rows{}
	c := newCache(10, r.read)
	for range 3 {
		if _, err := c.get(t.Context(), k("a")); !errors.Is(err, domain.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if n := r.reads.Load(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
	r.set("i/a", 1)
	c.invalidate(k("a"))
	for range 3 {
		if found, err := c.get(t.Context(), k("a")); err != nil || found.Epoch != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	if n := r.reads.Load(); n != 2 {
		t.Errorf("%d reads, want 2", n)
	}
}

// What could not be read is not remembered: neither as absent nor as there.
func TestFailureIsNotKept(t *testing.T) {
	r := &rows{fail: errors.New("disk on fire")}
	r.set("i/a", 1)
	c := newCache(10, r.read)
	if _, err := c.get(t.Context(), k("a")); err == nil || errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	r.fail = nil
	if found, err := c.get(t.Context(), k("a")); err != nil || found.Epoch != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

// D-14: whoever sprays ids displaces no client, and fills no memory.
func TestSpray(t *testing.T) {
	const clients = 500
	r := &rows{}
	c := newCache(1000, r.read)
	for i := range clients {
		id := fmt.Sprintf("known%d", i)
		r.set("i/"+id, 1)
		if _, err := c.get(t.Context(), k(id)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 * absentCached {
		if _, err := c.get(t.Context(), k(fmt.Sprintf("unknown%d", i))); !errors.Is(err, domain.ErrNotFound) {
			t.Fatal(err)
		}
	}
	before := r.reads.Load()
	for i := range clients {
		if _, err := c.get(t.Context(), k(fmt.Sprintf("known%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.reads.Load() - before; n != 0 {
		t.Errorf("%d clients had to be read again", n)
	}
	c.absent.CleanUp()
	if n := c.absent.EstimatedSize(); n > absentCached {
		t.Errorf("%d unknown ids are kept", n)
	}
}

// The number of clients in memory is bounded.
func TestBounded(t *testing.T) {
	r := &rows{}
	c := newCache(100, r.read)
	for i := range 1000 {
		id := fmt.Sprint(i)
		r.set("i/"+id, 1)
		if _, err := c.get(t.Context(), k(id)); err != nil {
			t.Fatal(err)
		}
	}
	c.present.CleanUp()
	if n := c.present.EstimatedSize(); n > 100 {
		t.Errorf("%d clients are kept", n)
	}
}

func TestNewClient(t *testing.T) {
	row := domain.Client{Issuer: "i", ID: "a", Secrets: []domain.Secret{{ID: "s1", Hash: "$postern$canary"}}}
	if c, err := NewClient(row); err == nil || err.Error() != `client "i/a": secret "s1": `+errors.Unwrap(err).Error() {
		t.Errorf("%v, %v", c, err)
	}
	past, future := time.Unix(999, 0), time.Unix(1001, 0)
	for _, c := range []struct {
		expires *time.Time
		want    bool
	}{{nil, true}, {&past, false}, {&future, true}} {
		if got := (&Secret{Secret: domain.Secret{Expires: c.expires}}).Live(time.Unix(1000, 0)); got != c.want {
			t.Errorf("%v: %v", c.expires, got)
		}
	}
	edge := time.Unix(1000, 0)
	if (&Secret{Secret: domain.Secret{Expires: &edge}}).Live(edge) {
		t.Error("lives when it has expired")
	}
	var s Secret
	if !s.ClaimRehash() || s.ClaimRehash() {
		t.Error("claimed not exactly once")
	}
	s.ReleaseRehash()
	if !s.ClaimRehash() {
		t.Error("not claimed after it was released")
	}
}
