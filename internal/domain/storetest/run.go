package storetest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// Canary is part of every secret that the suite stores: it may be found only
// where a store keeps private parts.
const Canary = "canary-9f2e"

// Store is what a driver opens.
type Store interface {
	domain.Store
	domain.Activity
	domain.Trail
	domain.LastUses
	domain.Retention
	audit.Batches
	audit.Derived
	audit.Marks
	domain.Records
	audit.Heads
}

// Run runs the suite; open returns an empty store each time and closes it when
// the test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"objects come back as they were put":       roundTrip,
		"APIs, policies and tiers are kept":        guarded,
		"versions guard puts and deletes":          versions,
		"pages and prefixes":                       pages,
		"read tables do not write":                 readOnly,
		"a change needs its event":                 events,
		"several steps on one object":              steps,
		"an error or panic leaves nothing":         rollback,
		"numbers are gapless under many writers":   concurrent,
		"head and follow":                          follow,
		"secrets are in no change":                 secrets,
		"activity comes back":                      activityRoundTrip,
		"activity of every mix comes back":         activityMixed,
		"activity is searched":                     activitySearch,
		"activity pages backwards":                 activityCursor,
		"activity of several nodes is chained":     activityChains,
		"activity with an id twice is not written": activityTwice,
		"an id twice in a large batch":             activityTwiceInMany,
		"a follower meets no late commit":          lateCommits,
		"changes are serial":                       serial,
		"odd ids are not found":                    odd,
		"activity of several nodes at once":        activityAtOnce,
		"the trail tells changes and activity":     trail,
		"the trail is searched":                    trailSearch,
		"a place in the trail is read strictly":    trailCursor,
		"last uses of secrets are kept":            lastUses,
		"old activity is dropped":                  retain,
		"what was dropped unnamed is named":        retainUnnamed,
		"nothing is lost while texts are swept":    sweep,
		"parts of entries that came later":         activityParts,
		"meta":                                     meta,
		"the heads of chains are told":             batchHeads,
		"records expire":                           records,
		"a change leaves its receipt":              receipts,
		"a record is taken once":                   takenOnce,
		"people, API keys and resources are kept":  people,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func client(issuer, id string) domain.Client {
	return domain.Client{
		Issuer: issuer, ID: id, Name: "Billing", Tenant: "t1", Status: domain.Enabled, Epoch: 3, Audiences: []string{"https://api.example"},
		ResourceScope: domain.ResourceScope{"study": {IDs: []string{"1", "2"}}}, Tier: domain.DefaultTier,
		Created: time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC),
		Secrets: []domain.Secret{{ID: "s1", LastFour: "abcd", Hash: "$postern$p1$" + Canary}, {ID: "s2", Hash: "$argon2id$" + Canary}},
	}
}

func key(issuer, id string) domain.Key {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return domain.Key{
		Issuer: issuer, ID: id, Purpose: domain.PurposeAccess, Algorithm: "ES256", Public: json.RawMessage(`{"kty":"EC"}`),
		Created: at, Published: at, SignFrom: at, Sealed: []byte("sealed \x00\xff" + Canary),
	}
}

// put puts v in a change of its own and reports it.
func put[T interface {
	Kind() domain.Kind
	Key() string
}](t *testing.T, s domain.Store, in func(domain.Tables) domain.Table[T], v T, ifVersion int64) int64 {
	t.Helper()
	var version int64
	_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) (_ []domain.Change, err error) {
		version, err = in(tables).Put(t.Context(), v, ifVersion)
		return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: string(v.Kind()) + ".put"}}, err
	})
	if err != nil {
		t.Fatalf("put %s %q: %v", v.Kind(), v.Key(), err)
	}
	return version
}

func clients(t domain.Tables) domain.Table[domain.Client] { return t.Clients }

// event reports a change of a client.
func event(c domain.Client, action string) domain.Change {
	return domain.Change{Kind: domain.KindClient, Key: c.Key(), Action: action}
}

func changes(t *testing.T, s domain.Store) []domain.Change {
	t.Helper()
	list, err := s.Follow(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// verified fails the test where the chains are broken, or what follows from them is not there.
func verified(t *testing.T, s Store) {
	t.Helper()
	if _, err := audit.VerifyChanges(context.Background(), s); err != nil {
		t.Error(err)
	}
	report, err := audit.Verify(context.Background(), s, s, s)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%v, %v", report.Problems, err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func holdsCanary(b []byte) bool { return strings.Contains(string(b), Canary) }
