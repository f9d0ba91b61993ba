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
