package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// absentCached bounds how many unknown ids are remembered, apart from the
// clients: whoever sprays ids (D-14) displaces nobody.
const absentCached = 8192

// fillTimeout bounds one read of a client, which outlives the request that asked
// for it: others may be waiting for the same.
const fillTimeout = 5 * time.Second

type clientKey struct{ issuer, id string }

// cache holds clients, and ids that are not there. A fill that an invalidation
// overtakes is read again, so that what is stored is never older than what
// the node has applied.
type cache struct {
	read    func(ctx context.Context, key string) (domain.Client, error)
	present *otter.Cache[clientKey, *Client]
	absent  *otter.Cache[clientKey, struct{}]

	mu      sync.Mutex
	flights map[clientKey]*flight
}

// flight is one read of a client that any number of requests wait for.
type flight struct {
	done  chan struct{}
	dirty bool // a change of this client came meanwhile
	c     *Client
	err   error
}

func newCache(size int, read func(context.Context, string) (domain.Client, error)) *cache {
	return &cache{
		read:    read,
		present: otter.Must(&otter.Options[clientKey, *Client]{MaximumSize: size}),
		absent:  otter.Must(&otter.Options[clientKey, struct{}]{MaximumSize: absentCached}),
		flights: make(map[clientKey]*flight),
	}
}

// get returns the client or domain.ErrNotFound.
func (c *cache) get(ctx context.Context, k clientKey) (*Client, error) {
	if found, ok := c.present.GetIfPresent(k); ok {
		return found, nil
	}
	c.mu.Lock()
	if found, ok := c.present.GetIfPresent(k); ok {
		c.mu.Unlock()
		return found, nil
	}
	if _, ok := c.absent.GetIfPresent(k); ok {
		c.mu.Unlock()
		return nil, domain.ErrNotFound
	}
	f, flying := c.flights[k]
	if !flying {
		f = &flight{done: make(chan struct{})}
		c.flights[k] = f
	}
	c.mu.Unlock()
	if !flying {
		c.fill(context.WithoutCancel(ctx), k, f)
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fill reads until no change came between.
func (c *cache) fill(ctx context.Context, k clientKey, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	defer close(f.done)
	for {
		row, err := c.read(ctx, domain.ClientKey(k.issuer, k.id))
		var found *Client
		if err == nil {
			share(&row)
			found, err = NewClient(row)
		}
		c.mu.Lock()
		if f.dirty && ctx.Err() == nil {
			f.dirty = false
			c.mu.Unlock()
			continue
		}
		if f.dirty { // out of time: what was read is older than what was applied, and no answer
			found, err = nil, fmt.Errorf("read client %q of issuer %s: %w", k.id, k.issuer, ctx.Err())
		}
		f.c, f.err = found, err
		switch {
		case err == nil:
			c.present.Set(k, found)
		case errors.Is(err, domain.ErrNotFound):
			c.absent.Set(k, struct{}{})
		}
		delete(c.flights, k)
		c.mu.Unlock()
		return
	}
}

// invalidate forgets one client, or the absence of it.
func (c *cache) invalidate(k clientKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present.Invalidate(k)
	c.absent.Invalidate(k)
	if f, ok := c.flights[k]; ok {
		f.dirty = true
	}
}

// clear forgets everything.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present.InvalidateAll()
	c.absent.InvalidateAll()
	for _, f := range c.flights {
		f.dirty = true
	}
}
