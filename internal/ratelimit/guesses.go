package ratelimit

import (
	"strings"
	"sync"
	"time"
)

// The guessing limits (RULES, Token endpoint).
const (
	SourceGuesses = 10               // evaluated failures per client and source ...
	SourceWindow  = 15 * time.Minute // ... in any window of this length
	ClientGuesses = 100              // evaluated failures per client of all sources that are not trusted ...
	ClientWindow  = time.Hour        // ... in any window of this length
)

// The bounds of memory. A client that reached its limit takes 2 KB, one that
// was tried once about 400 bytes: 12 MB in the worst case.
const (
	maxClients  = 4096 // that exist
	maxUnknown  = 4096 // ids that do not; apart, so that inventing ids displaces nothing
	maxTrusting = 100  // failures of trusted sources kept per client
)

// Client is whose secret is being guessed.
type Client struct {
	Issuer string // by name
	ID     string
}

// Guesses limits the guessing of secrets that may be weak. It counts what is
// evaluated, whether the client exists or not, and is safe for concurrent use.
type Guesses struct {
	clock   *clock
	trusted *trusted

	mu      sync.Mutex
	known   map[Client]*record
	unknown map[Client]*record
}

// NewGuesses returns limits that nothing has been counted against. now is the
// clock: time.Now, but in tests.
func NewGuesses(now func() time.Time) *Guesses {
	return &Guesses{
		clock:   newClock(now),
		trusted: newTrusted(now),
		known:   make(map[Client]*record),
		unknown: make(map[Client]*record),
	}
}

// Guess is one that was admitted. It counts as a failure unless withdrawn.
type Guess struct {
	g      *Guesses
	record *record
	id     uint32
}

// Begin admits a guess and counts it, in one step, so that many at once get no
// further than one after the other. exists says whether there is such a client;
// it changes nothing but where the count is kept. Where the guess is not
// admitted, it must not be evaluated, and wait is when one will be.
func (g *Guesses) Begin(c Client, exists bool, s Source) (guess Guess, wait time.Duration, ok bool) {
	now := g.clock.elapsed()
	trusts := g.trusted.has(c, s)
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.record(c, exists, now)
	if wait := r.wait(s, trusts, now); wait > 0 {
		return Guess{}, wait, false
	}
	return Guess{g: g, record: r, id: r.add(s, trusts, now)}, 0, true
}

// Withdraw takes the guess out of the count: it was right, or never evaluated.
func (g Guess) Withdraw() {
	if g.g == nil {
		return
	}
	g.g.mu.Lock()
	defer g.g.mu.Unlock()
	g.record.remove(g.id)
}

// record finds or makes the record of a client.
func (g *Guesses) record(c Client, exists bool, now time.Duration) *record {
	table, limit := g.unknown, maxUnknown
	if exists {
		table, limit = g.known, maxClients
	}
	if r := table[c]; r != nil {
		return r
	}
	makeRoom(table, limit, func(r *record) int { return r.weight(now) })
	r := new(record)
	// The id may be a piece of a larger text that came in.
	table[Client{Issuer: c.Issuer, ID: strings.Clone(c.ID)}] = r
	return r
}
