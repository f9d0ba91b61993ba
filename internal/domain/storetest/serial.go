package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// RULES "Snapshot and feed": number order is commit order. Changes that take
// long commit in another order than they began; whoever follows meanwhile sees
// every number after the one before it, so that none arrives late.
func lateCommits(t *testing.T, s Store) {
	const writers, each = 6, 5
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				c := client("rfc", fmt.Sprintf("%d-%d", w, n))
				_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
					_, err := tables.Clients.Put(t.Context(), c, 0)
					time.Sleep(time.Duration((w*7+n*5)%4) * time.Millisecond) // some have more to do than others
					return []domain.Change{event(c, "client.create")}, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for applied := domain.Seq(0); applied < writers*each && !t.Failed(); {
		head, err := s.Head(t.Context())
		if err != nil {
			t.Error(err)
			break
		}
		list, err := s.Follow(t.Context(), applied, 7)
		if err != nil || head.Seq > applied && len(list) == 0 {
			t.Errorf("nothing after %d, the head is at %d: %v", applied, head.Seq, err)
		}
		for _, c := range list {
			if c.Seq != applied+1 {
				t.Errorf("change %d is followed by %d", applied, c.Seq)
			}
			if _, err := s.Read().Clients.Get(t.Context(), c.Key); err != nil {
				t.Errorf("change %d is in the feed and not in the tables: %v", c.Seq, err)
			}
			applied, seen[c.Key] = c.Seq, true
		}
	}
	group.Wait()
	same(t, "objects seen by the follower", len(seen), writers*each)
	verified(t, s)
}

// Changes are serial: what f has read still holds when it commits.
func serial(t *testing.T, s Store) {
	const writers, room = 8, 5
	put(t, s, clients, client("count", "one"), 0)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
				return seat(t, tables, client("seat", fmt.Sprint(w)), room)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	seats, err := s.Read().Clients.List(t.Context(), domain.Page{Prefix: "seat/"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "seats", len(seats), room)
	counted, err := s.Read().Clients.Get(t.Context(), "count/one")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "updates of one object", fmt.Sprint(counted.Epoch, counted.Version), fmt.Sprint(3+writers, 1+writers))
	verified(t, s)
}

// seat puts the client where there is room, and counts in any case.
func seat(t *testing.T, tables domain.Tables, c domain.Client, room int) ([]domain.Change, error) {
	list, err := tables.Clients.List(t.Context(), domain.Page{Prefix: "seat/"})
	if err != nil {
		return nil, err
	}
	counted, err := tables.Clients.Get(t.Context(), "count/one")
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Millisecond) // the others have read by now, if they may
	counted.Epoch++
	changes := []domain.Change{event(counted, "client.count")}
	if _, err := tables.Clients.Put(t.Context(), counted, counted.Version); err != nil {
		return nil, err
	}
	if len(list) >= room {
		return changes, nil
	}
	_, err = tables.Clients.Put(t.Context(), c, 0)
	return append(changes, event(c, "client.create")), err
}

// What others send as an id is not found, whatever its bytes.
func odd(t *testing.T, s Store) {
	for _, key := range []string{"rfc/\x00", "rfc/\xff\xfe", "", "rfc/'; --", "rfc/" + strings.Repeat("x", 1<<16)} {
		if _, err := s.Read().Clients.Get(t.Context(), key); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%.20q: %v", key, err)
		}
		for name, page := range map[string]domain.Page{"prefix": {Prefix: key + "\x00"}, "after": {After: key + "\xff"}} {
			if found, err := s.Read().Clients.List(t.Context(), page); err != nil || len(found) != 0 {
				t.Errorf("%s %.20q: %v, %v", name, key, found, err)
			}
		}
		list, err := s.Search(t.Context(), domain.Query{Client: key + "\x00"})
		if err != nil || len(list) != 0 {
			t.Errorf("%.20q: %v, %v", key, list, err)
		}
	}
}

// Several nodes append at once, with texts that are new to all of them and long.
func activityAtOnce(t *testing.T, s Store) {
	const nodes, batches = 4, 5
	var group sync.WaitGroup
	for node := range nodes {
		group.Go(func() {
			for n := range batches {
				list := Entries(begin().Add(time.Duration(n)*time.Second), audit.BatchEntries)
				for i := range list {
					list[i].Scope = fmt.Sprint(strings.Repeat("long ", 2000), i%7, " ", n)
				}
				if err := s.Append(t.Context(), fmt.Sprint("node-", node), list); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	n, err := audit.VerifyBatches(t.Context(), s)
	if err != nil || n != nodes*batches*audit.BatchEntries {
		t.Errorf("%d entries verified, %v", n, err)
	}
}
