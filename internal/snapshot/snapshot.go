package snapshot

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/dialect"
)

// PollInterval is how often a node asks the store for changes.
const PollInterval = 100 * time.Millisecond

// Clocks that differ: of the node and the database.
const (
	clockStep  = 20 * time.Millisecond // less, beyond what the question took, is no difference
	clockAlarm = 2 * time.Second
	clockLimit = 30 * time.Second // a node further off is not ready
)

// followMost is how many changes are read at once.
const followMost = 500

// Config is what a snapshot needs.
type Config struct {
	Store        domain.Store
	Vault        *keys.Vault
	Dialects     dialect.Set
	Clients      int              // how many clients are kept in memory
	MaxStaleness time.Duration    // without a good poll for so long, the node stops issuing
	Local        func() time.Time // the clock of this machine
	Log          *slog.Logger
	// Notify returns a channel that is closed at the next commit, here or
	// elsewhere: it makes the next poll earlier. Left out: polls come as they do.
	Notify func() <-chan struct{}
}

// Snapshot is what a node knows, and how it keeps knowing it.
type Snapshot struct {
	Config
	clients  *cache
	view     atomic.Pointer[View]
	views    atomic.Uint64             // how many were loaded
	applied  atomic.Int64              // a domain.Seq
	lastGood atomic.Pointer[time.Time] // when the last good poll started
	offset   atomic.Int64              // nanoseconds by which the database's clock is ahead of ours

	mu          sync.Mutex // one poll at a time
	incarnation string
	alarmed     bool
}

// Open reads the store once and returns a snapshot that knows all of it.
func Open(ctx context.Context, c Config) (*Snapshot, error) {
	s := &Snapshot{Config: c}
	s.clients = newCache(c.Clients, c.Store.Read().Clients.Get)
	if err := s.Poll(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Run polls until the context ends.
func (s *Snapshot) Run(ctx context.Context) {
	tick := time.NewTicker(PollInterval)
	defer tick.Stop()
	failing := false
	var next <-chan struct{}
	for {
		if s.Notify != nil {
			next = s.Notify() // before the poll, so that nothing is missed
		}
		err := s.Poll(ctx)
		if failed := err != nil && ctx.Err() == nil; failed != failing {
			failing = failed
			if failed {
				s.Log.Error("this node cannot follow the store", "error", err)
			} else {
				s.Log.Info("this node follows the store again", "seq", s.applied.Load())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-next:
		}
	}
}

// Now is the time by the clock of the database, so that all nodes agree.
func (s *Snapshot) Now() time.Time { return s.Local().Add(time.Duration(s.offset.Load())) }

// View is what the node knows now.
func (s *Snapshot) View() *View { return s.view.Load() }

// Applied is the last change that the node has applied.
func (s *Snapshot) Applied() domain.Seq { return domain.Seq(s.applied.Load()) }

// Client returns a client of an issuer, read from the store if it is asked for
// the first time. The error is domain.ErrNotFound where there is none.
func (s *Snapshot) Client(ctx context.Context, issuer, id string) (*Client, error) {
	return s.clients.get(ctx, clientKey{issuer, id})
}

// Known returns a client that is in memory, and reads nothing: a node that has lost its
// store vouches for nobody else.
func (s *Snapshot) Known(issuer, id string) (*Client, bool) {
	return s.clients.present.GetIfPresent(clientKey{issuer, id})
}

// Fresh returns domain.ErrStale where the node has lost touch with its store for
// longer than MaxStaleness, counted from when the last good poll started.
func (s *Snapshot) Fresh() error { return s.FreshWithin(0) }

// FreshWithin is Fresh for whoever may go on for so much longer.
func (s *Snapshot) FreshWithin(longer time.Duration) error {
	if s.Local().Sub(*s.lastGood.Load()) > s.MaxStaleness+longer {
		return domain.ErrStale
	}
	return nil
}

// Ready is Fresh, and that the clocks agree well enough.
func (s *Snapshot) Ready() error {
	if err := s.Fresh(); err != nil {
		return err
	}
	if off := time.Duration(s.offset.Load()).Abs(); off > clockLimit {
		return fmt.Errorf("the clock of this machine is %s off that of the database; set it by NTP", off.Round(time.Second))
	}
	return nil
}

// CatchUp returns once the node has applied the change given, which is committed.
func (s *Snapshot) CatchUp(ctx context.Context, seq domain.Seq) error {
	if s.Applied() >= seq {
		return nil
	}
	if err := s.Poll(ctx); err != nil {
		return err
	}
	if s.Applied() < seq { // the feed is another one meanwhile
		return fmt.Errorf("follow the feed to %d: it ends at %d: %w", seq, s.Applied(), domain.ErrNotFound)
	}
	return nil
}

// Poll applies what changed since the last one.
func (s *Snapshot) Poll(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.Local()
	head, err := s.Store.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the feed: %w", err)
	}
	s.setClock(head.Now, start)
	if head.Incarnation != s.incarnation || head.Seq < s.Applied() {
		if err := s.reload(ctx, head); err != nil {
			return err
		}
	}
	for s.Applied() < head.Seq {
		if err := s.follow(ctx); err != nil {
			return err
		}
	}
	s.lastGood.Store(&start)
	return nil
}

// reload forgets all and starts from the head given: at start, and after a
// restore. The head was read first, so that what is read is at least as new.
func (s *Snapshot) reload(ctx context.Context, head domain.Head) error {
	v, err := s.load(ctx, s.view.Load())
	if err != nil {
		return err
	}
	s.clients.clear()
	s.view.Store(v)
	s.incarnation = head.Incarnation
	s.applied.Store(int64(head.Seq))
	return nil
}

func (s *Snapshot) follow(ctx context.Context) error {
	changes, err := s.Store.Follow(ctx, s.Applied(), followMost)
	if err != nil {
		return fmt.Errorf("follow the feed: %w", err)
	}
	if len(changes) == 0 {
		return fmt.Errorf("follow the feed after %d: %w", s.Applied(), domain.ErrNotFound)
	}
	whole := false
	for i := range changes {
		switch changes[i].Kind {
		case domain.KindClient:
			issuer, id, _ := strings.Cut(changes[i].Key, "/")
			s.clients.invalidate(clientKey{issuer, id})
		case domain.KindIssuer, domain.KindTenant, domain.KindKey, domain.KindAPI, domain.KindPolicy, domain.KindTier, domain.KindAPIKey:
			whole = true
		}
	}
	if whole {
		v, err := s.load(ctx, s.view.Load())
		if err != nil {
			return err
		}
		s.view.Store(v)
	}
	s.applied.Store(int64(changes[len(changes)-1].Seq))
	return nil
}

// setClock takes the time of the database, read between start and now.
func (s *Snapshot) setClock(database, start time.Time) {
	unsure := s.Local().Sub(start) / 2 // either way
	off := database.Sub(start.Add(unsure))
	if (off - time.Duration(s.offset.Load())).Abs() < clockStep+unsure {
		return
	}
	s.offset.Store(int64(off))
	if alarm := off.Abs() > clockAlarm; alarm != s.alarmed {
		s.alarmed = alarm
		s.Log.Warn("the clocks of this machine and of the database differ", "seconds", off.Seconds(), "too_much", alarm)
	}
}

// Committing returns the store, with changes that are answered only once
// this node has applied them: what is dead is dead here before the
// administrator reads so.
func (s *Snapshot) Committing() domain.Store { return committing{s.Store, s} }

type committing struct {
	domain.Store
	s *Snapshot
}

func (c committing) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	seq, err := c.Store.Change(ctx, by, f)
	if err != nil {
		return seq, err
	}
	if err := c.s.CatchUp(context.WithoutCancel(ctx), seq); err != nil {
		return seq, fmt.Errorf("change %d: %w: %w", seq, domain.ErrBehind, err)
	}
	return seq, nil
}
