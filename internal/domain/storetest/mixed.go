package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// oddTexts are those that a line, a list or a formula of some format could take for its own.
func oddTexts() []string {
	return []string{"", "", "a", "same", "new\nline\r\n", `q"u'o\te`, "[\"x\",null]", ",7,,", "\x01\x1b\x7f", "\u2028\u202e\ufeff\ufffd", "\U0001f600 é", "=1+1", "0", "NULL", " ", strings.Repeat("ü", 2048)}
}

// mixed makes n entries, one a millisecond, with any of their members.
func mixed(random *rand.Rand, from time.Time, n int) []domain.Entry {
	texts := oddTexts()
	list := make([]domain.Entry, n)
	for i := range list {
		e := &list[i]
		v := reflect.ValueOf(e).Elem()
		for f := range v.NumField() {
			switch {
			case v.Field(f).Kind() != reflect.String:
			case random.IntN(20) == 0:
				v.Field(f).SetString(fmt.Sprint("once ", random.Uint64()))
			default:
				v.Field(f).SetString(texts[random.IntN(len(texts))])
			}
		}
		e.ID, e.Action, e.Count = domain.NewEventID(from.Add(time.Duration(i)*time.Millisecond)), cmp.Or(e.Action, domain.TokenIssued), 1
		if random.IntN(5) == 0 {
			e.Count = 1 + random.Uint32N(1<<32-1)
		}
	}
	return list
}

// alone makes 64 entries of tokens for each member, one of which has that member of its own:
// those that are like tokens may be written by another statement.
func alone(from time.Time) (list []domain.Entry) {
	for f := range reflect.TypeFor[domain.Entry]().NumField() {
		part := Entries(from.Add(time.Duration(f)*time.Second), 64)
		switch field := reflect.ValueOf(&part[f]).Elem().Field(f); field.Kind() {
		case reflect.String:
			field.SetString("its own")
		case reflect.Uint32:
			field.SetUint(7)
		}
		list = append(list, part...)
	}
	return list
}

// Whatever an entry holds comes back, of batches of every size, to those who search as to those
// who verify.
func activityMixed(t *testing.T, s Store) {
	seed := rand.Uint64()                    // #nosec G404 -- entries of a test, which its log lets one make again
	random := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- the same
	t.Logf("seed %d", seed)
	all := alone(begin().Add(-time.Hour))
	appendAll(t, s, "n", all)
	for i, n := range []int{1, 63, 64, 65, 200, 129, 2, 300, audit.BatchEntries} {
		list := mixed(random, begin().Add(time.Duration(i)*time.Hour), n)
		all = append(all, list...)
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		appendAll(t, s, "n", list)
	}
	byID := func(a, b domain.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) }
	slices.SortFunc(all, byID)
	var found, stored []domain.Entry
	for q := (domain.Query{Limit: 1000}); ; q.Before = found[len(found)-1].ID {
		page := search(t, s, q)
		if found = append(found, page...); len(page) == 0 {
			break
		}
	}
	slices.Reverse(found)
	same(t, "what is found", found, all)
	err := s.EachBatch(t.Context(), func(_ audit.Batch, rows []domain.Entry) error {
		stored = append(stored, rows...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what is verified", stored, all)
	verified(t, s)
}

// An id that is there already, or twice, deep in a large batch: nothing of it is kept, neither
// entries nor texts nor last uses, and without it all is written.
func activityTwiceInMany(t *testing.T, s Store) {
	list := Entries(begin(), 2000)
	for i := range list {
		list[i].Scope = fmt.Sprint("scope ", i) // texts that are new
		if i%3 == 0 {
			list[i].Reason, list[i].Details = "scope_invalid", "{}"
		}
	}
	appendAll(t, s, "n", list[1000:1001])
	twice := slices.Clone(list[1001:])
	twice[700].ID = twice[300].ID
	for name, batch := range map[string][]domain.Entry{"there already": list, "twice": twice} {
		if err := s.Append(t.Context(), "n", batch); !errors.Is(err, domain.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		same(t, name, search(t, s, domain.Query{Limit: 3000}), list[1000:1001])
		uses, err := s.LastUses(t.Context(), list[7].Issuer, list[7].Client)
		if err != nil || len(uses) != 0 {
			t.Errorf("%s: last uses %v, %v", name, uses, err)
		}
		verified(t, s)
	}
	rest := slices.Concat(list[:1000], list[1001:])
	appendAll(t, s, "n", rest)
	got := search(t, s, domain.Query{Limit: 3000})
	slices.Reverse(got)
	same(t, "all of them", got, list)
	verified(t, s)
}
