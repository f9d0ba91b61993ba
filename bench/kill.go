package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/admin"
	node "github.com/postern-dev/postern/internal/server"
)

// kills are how long a node went on admitting a client's calls: the time to the begin of
// the last one that was admitted, in milliseconds, 0 where that lies before.
type kills struct {
	Store      string    `json:"store"`
	Ending     string    `json:"ending"`
	Node       string    `json:"node"`
	FromSent   []float64 `json:"from_sent_ms"`   // since the administrator's request was sent
	FromAnswer []float64 `json:"from_answer_ms"` // since it was answered
	Target     string    `json:"target"`
}

// quiet is for how long nothing may be admitted any more before a round is over: three
// polls of a node.
const quiet = 300 * time.Millisecond

// kill measures it on one node over SQLite, and on two over PostgreSQL, with notifications
// and without. The administrator speaks to the first node.
func (b *bench) kill(ctx context.Context) (err error) {
	p, ok := b.candidate.(postern)
	if !ok {
		return errors.New("the floor has nobody whose rights could be ended: measure postern")
	}
	upstream, origin, err := b.startUpstream(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, upstream.stop()) }()
	wanted := setup{algorithm: "ES256", clients: 1, calls: &calls{upstream: origin, known: 1}}
	if err := b.killOne(ctx, p, wanted); err != nil {
		return err
	}
	if !b.single {
		if err := b.killTwo(ctx, p, wanted); err != nil {
			return err
		}
	}
	return b.result.killTable(b.out)
}

func (b *bench) killOne(ctx context.Context, p postern, wanted setup) error {
	l, err := b.prepare(ctx, p, wanted)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, p, l)
	if err != nil {
		return err
	}
	s.name = "node 1"
	return errors.Join(b.killAll(ctx, "SQLite", []*server{s}), s.stop())
}

func (b *bench) killTwo(ctx context.Context, p postern, wanted setup) error {
	db, err := startDatabase()
	if err != nil {
		return err
	}
	defer db.stop()
	for _, c := range []struct {
		store, name string
		notify      bool
	}{{"PostgreSQL", "told", true}, {"PostgreSQL, polls only", "untold", false}} {
		url, err := db.make(ctx, c.name, c.notify)
		if err != nil {
			return err
		}
		nodes, err := b.startNodes(ctx, p, url, 2, wanted)
		if err != nil {
			return err
		}
		err = b.killAll(ctx, c.store, nodes)
		if err := errors.Join(err, nodes[0].stop(), nodes[1].stop()); err != nil {
			return err
		}
	}
	return nil
}

// killAll ends clients in every way, each so many times.
func (b *bench) killAll(ctx context.Context, store string, nodes []*server) error {
	for _, e := range endings() {
		found := make([]kills, len(nodes))
		for i, n := range nodes {
			found[i] = kills{Store: store, Ending: e.name, Node: n.name, Target: "median < 100, maximum < 1000"}
		}
		for range b.kills {
			delays, err := killRound(ctx, nodes, e)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", store, e.name, err)
			}
			for i, d := range delays {
				found[i].FromSent, found[i].FromAnswer = append(found[i].FromSent, d.sent), append(found[i].FromAnswer, d.answer)
			}
		}
		b.note("%s, %s: %d rounds", store, e.name, b.kills)
		b.result.Kills = append(b.result.Kills, found...)
	}
	return nil
}

// delay is what one round found of one node, in milliseconds.
type delay struct{ sent, answer float64 }

// killRound has a client of its own called for on every node, ends it on the first, and waits
// until nobody admits it.
func killRound(ctx context.Context, nodes []*server, e ending) ([]delay, error) {
	conn := admin.Dial(node.Socket(nodes[0].data))
	if err := putPolicy(ctx, conn, listAction, addAction); err != nil { // the round before may have taken one
		return nil, err
	}
	id, what, err := newcomer(ctx, conn, nodes[0])
	if err != nil {
		return nil, err
	}
	calling, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	groups := make([]*callers, len(nodes))
	for i, n := range nodes {
		groups[i] = &callers{origin: n.origin, what: what, refused: e.refused}
		for number := range callersEach {
			running.Go(func() { groups[i].callOn(calling, number) })
		}
	}
	if err := untilAdmitted(ctx, groups); err != nil {
		return nil, err
	}
	// At no fixed place between two polls of a node.
	if err := rest(ctx, 100*time.Millisecond+rand.N(100*time.Millisecond)); err != nil { //nolint:gosec // a pause
		return nil, err
	}
	sent := time.Now()
	if err := e.do(ctx, conn, id); err != nil {
		return nil, err
	}
	answered := time.Now()
	if err := untilQuiet(ctx, groups, answered); err != nil {
		return nil, err
	}
	return delays(groups, sent, answered)
}

// delays judges a round. The node that answered the administrator admits nothing that is
// begun later (RULES, "Snapshot and feed").
func delays(groups []*callers, sent, answered time.Time) ([]delay, error) {
	found := make([]delay, len(groups))
	for i, g := range groups {
		_, last, err := g.seen()
		if err != nil {
			return nil, err
		}
		found[i] = delay{milliseconds(last.Sub(sent)), milliseconds(last.Sub(answered))}
	}
	if late := found[0].answer; late > 0 {
		return nil, fmt.Errorf("the node that had answered the administrator admitted a call begun %.3f ms later", late)
	}
	return found, nil
}

// milliseconds of a duration, 0 of a negative one.
func milliseconds(d time.Duration) float64 { return max(0, float64(d.Nanoseconds())/1e6) }

// untilAdmitted waits until every caller has been admitted once.
func untilAdmitted(ctx context.Context, groups []*callers) error {
	return poll(ctx, "nobody admits a client that was just made", func() (bool, error) {
		for _, g := range groups {
			if all, _, err := g.seen(); !all || err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// untilQuiet waits until nothing has been admitted for long enough.
func untilQuiet(ctx context.Context, groups []*callers, answered time.Time) error {
	return poll(ctx, "a client that was ended is still admitted", func() (bool, error) {
		latest := answered
		for _, g := range groups {
			_, last, err := g.seen()
			if err != nil {
				return false, err
			}
			if last.After(latest) {
				latest = last
			}
		}
		return time.Since(latest) > quiet, nil
	})
}

// poll asks until the answer is yes, or patience is at an end.
func poll(ctx context.Context, complaint string, ask func() (bool, error)) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if done, err := ask(); done || err != nil {
			return err
		}
		if err := rest(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s after %v", complaint, patience)
}

// newcomer makes a client like the others and asks for its token.
func newcomer(ctx context.Context, conn *admin.Conn, s *server) (id string, what fixture.Call, err error) {
	c, err := conn.CreateClient(ctx, newClient())
	if err != nil {
		return "", what, err
	}
	t, err := askToken(ctx, s.tokenURL, fixture.Client{ID: c.ID, Secret: c.Secret, Scope: scope})
	return c.ID, callOf(t, 0), err
}
