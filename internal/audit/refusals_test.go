package audit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// RULES "Audit": refusals without a known client are counted together per
// second, source prefix, issuer and reason.
func TestRefusalsAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Group)
		alone := refused("192.0.2.9", "credentials_wrong")
		for _, e := range []domain.Entry{
			refused("192.0.2.1", "credentials_wrong"), refused("::ffff:192.0.2.1", "credentials_wrong"), refused("192.0.2.1", "method"), alone,
			refused("2001:db8::1", "method"), refused("2001:db8::2:2", "method"), refused("2001:db8:0:1::1", "method"),
		} {
			if err := w.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second - time.Millisecond)
		synctest.Wait()
		want(t, "within the second", len(m.all()), 0)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		got := map[string]uint32{}
		for _, e := range m.all() {
			got[e.Source+" "+e.Reason] = e.Count
			if e.ID == alone.ID && e.Correlation != "x" {
				t.Error("one that stayed alone is not whole")
			}
		}
		want(t, "counts", got, map[string]uint32{
			"192.0.2.1 credentials_wrong": 2, "192.0.2.1 method": 1, "192.0.2.9 credentials_wrong": 1,
			"2001:db8::/64 method": 2, "2001:db8:0:1::1 method": 1,
		})
		closed(t, w)
	})
}

// D-14: spraying from many sources costs a bounded number of rows, and none is
// left out of the count.
func TestRefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Group)
		for i := range 50_000 {
			if err := w.Record(t.Context(), refused(fmt.Sprintf("10.%d.%d.1", i/250, i%250), "credentials_wrong")); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, w)
		var sum uint32
		for _, e := range m.all() {
			sum += e.Count
		}
		want(t, "sum of counts", sum, uint32(50_000))
		if n := len(m.all()); n > 1100 {
			t.Errorf("%d rows", n)
		}
	})
}

func call(client, source, reason, resource string) domain.Entry {
	return domain.Entry{
		ID: domain.NewEventID(time.Now()), Action: domain.CallRefused, Issuer: "rfc", Client: client, Source: source, Reason: reason, Resource: resource, Correlation: "x",
	}
}

func recordAll(t *testing.T, w *audit.Writer, list ...domain.Entry) {
	t.Helper()
	for _, e := range list {
		if err := w.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// Calls without a known client are counted as refused tokens are, and apart from them.
func TestRefusedCallsAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Sync) // which does not wait for them
		token := refused("192.0.2.1", "token_invalid")
		recordAll(t, w, call("", "192.0.2.1", "token_invalid", "reports"), call("", "192.0.2.1", "token_invalid", "reports"),
			call("", "192.0.2.1", "token_invalid", "bookings"), call("", "192.0.2.1", "token_missing", "reports"), call("", "192.0.2.2", "token_invalid", "reports"), token)
		time.Sleep(time.Second)
		synctest.Wait()
		got := map[string]uint32{}
		for _, e := range m.all() {
			got[fmt.Sprint(e.Action, " ", e.Source, " ", e.Reason, " ", e.Resource)] = e.Count
		}
		want(t, "counts", got, map[string]uint32{
			"call.refuse 192.0.2.1 token_invalid reports": 2, "call.refuse 192.0.2.1 token_invalid bookings": 1, "call.refuse 192.0.2.1 token_missing reports": 1,
			"call.refuse 192.0.2.2 token_invalid reports": 1, "token.refuse 192.0.2.1 token_invalid ": 1,
		})
		closed(t, w)
	})
}

// A client over its limit cannot write the disk full; what it may not do is told each time.
func TestCallsOverTheLimitAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Group)
		first := call("a", "192.0.2.1", audit.RateLimited, "reports GET /x")
		recordAll(t, w, first)
		for range 9999 {
			recordAll(t, w, call("a", "192.0.2.1", audit.RateLimited, "reports GET /x"))
		}
		alone, other := call("b", "192.0.2.3", audit.RateLimited, "reports GET /x"), call("b", "192.0.2.4", audit.RateLimited, "reports GET /y")
		elsewhere := call("a", "192.0.2.1", audit.RateLimited, "reports GET /x")
		elsewhere.Issuer = "other"
		recordAll(t, w, alone, other, call("b", "192.0.2.5", audit.RateLimited, "reports GET /y"), elsewhere)
		recordAll(t, w, call("a", "192.0.2.1", "scope_missing", "reports GET /x"), call("a", "192.0.2.1", "scope_missing", "reports GET /x"))
		time.Sleep(time.Second)
		synctest.Wait()
		got := map[domain.EventID]domain.Entry{}
		for _, e := range m.all() {
			got[e.ID] = e
		}
		want(t, "entries", len(got), 6)
		first.Count, first.Correlation = 10_000, ""
		alone.Count, elsewhere.Count = 1, 1
		other.Count, other.Correlation, other.Source = 2, "", ""
		for _, e := range []domain.Entry{first, alone, other, elsewhere} {
			want(t, e.Issuer+" "+e.Client+" "+e.Resource, got[e.ID], e)
		}
		recordAll(t, w, call("a", "192.0.2.1", audit.RateLimited, "reports GET /x"))
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, "in the next second", len(m.all()), 7)
		closed(t, w)
	})
}

// A known client that is refused tokens without end cannot write the disk full, from however
// many sources.
func TestRefusedTokensOfOneClientAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Sync)
		first := refused("10.0.0.0", "credentials_wrong")
		first.Client, first.Tenant = "a", "t1"
		recordAll(t, w, first)
		for i := range 9999 {
			e := first
			e.ID, e.Source = domain.NewEventID(time.Now()), fmt.Sprintf("10.0.%d.%d", i/250, i%250)
			recordAll(t, w, e)
		}
		scope := first
		scope.ID, scope.Reason, scope.SecretID, scope.Count = domain.NewEventID(time.Now()), "scope_invalid", "s1", 1
		other := scope
		other.ID, other.Client = domain.NewEventID(time.Now()), "b"
		recordAll(t, w, scope, other)
		time.Sleep(time.Second)
		synctest.Wait()
		got := map[domain.EventID]domain.Entry{}
		for _, e := range m.all() {
			got[e.ID] = e
		}
		first.Count, first.Correlation, first.Source = 10_000, "", ""
		want(t, "entries", got, map[domain.EventID]domain.Entry{first.ID: first, scope.ID: scope, other.ID: other})
		closed(t, w)
	})
}

// Whatever is sprayed, memory is bounded and every refusal is in a count or an entry.
func TestRefusedCallsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		entry func(i int) domain.Entry
		rows  int
	}{
		"resources of unknown clients": {func(i int) domain.Entry { return call("", "192.0.2.1", "no_route", fmt.Sprint(i)) }, 1025},
		"sources and resources":        {func(i int) domain.Entry { return call("", fmt.Sprint("10.0.0.", i%256), "no_route", fmt.Sprint(i)) }, 1025},
		"clients over their limits":    {func(i int) domain.Entry { return call(fmt.Sprint(i%5000), "192.0.2.1", audit.RateLimited, "reports") }, 4096 + 2*904},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				w, _ := start(t, m, audit.Group)
				for i := range 10_000 {
					recordAll(t, w, test.entry(i))
				}
				closed(t, w)
				var sum uint32
				for _, e := range m.all() {
					sum += max(e.Count, 1)
				}
				want(t, "sum of counts", sum, uint32(10_000))
				want(t, "rows", len(m.all()), test.rows)
			})
		})
	}
}
