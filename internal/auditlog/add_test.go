package auditlog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// ARB-18: who tells, for whom, from where and when is ours to say; what the product says of
// that stands in details.
func TestAdd(t *testing.T) {
	d := newDesk(t)
	events := func(v *guard.Verdict) *guard.Verdict {
		v.Events = &[]guard.ProductEvent{
			{Name: "dlp_block", Resource: "chat/7", Outcome: domain.Refused, Details: json.RawMessage(`{"actor":"root","occurred_at":"1999-01-01T00:00:00Z","tenant_id":"x"}`)},
			{Name: "login", Outcome: domain.Success},
		}
		return v
	}
	w := d.call(events(as(one)), "/events", "")
	var got struct {
		Accepted int
		IDs      []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 202 || got.Accepted != 2 || len(got.IDs) != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d.call(events(key("")), "/events", "")
	p := d.search(as(one), "")
	if len(p.Items) != 2 {
		t.Fatalf("%v", p)
	}
	for _, i := range p.Items {
		if i["created_at"] != "2026-11-23T12:00:00.000Z" || i["client_id"] != "c-"+one || i["actor"] != "c-"+one || i["tenant_id"] != one || i["source"] != "192.0.2.7" || !slices.Contains(got.IDs, i["id"].(string)) {
			t.Errorf("%v", i)
		}
		if i["action"] == "dlp_block" && (i["outcome"] != "refused" || i["resource"] != "chat/7" || fmt.Sprint(i["details"]) != "map[actor:root occurred_at:1999-01-01T00:00:00Z tenant_id:x]") {
			t.Errorf("%v", i)
		}
		if i["action"] == "login" && (i["outcome"] != "success" || i["details"] != nil) {
			t.Errorf("%v", i)
		}
	}
	all := d.search(as(""), "").Items
	byKey := slices.IndexFunc(all, func(i map[string]any) bool {
		return i["actor"] == "key:k1" && i["client_id"] == nil && i["tenant_id"] == nil
	})
	if len(all) != 4 || byKey < 0 {
		t.Errorf("%v", all)
	}
}

// ARB-18: no event is lost in silence.
func TestAddFails(t *testing.T) {
	d := newDesk(t)
	v := as(one)
	login := guard.ProductEvent{Name: "login", Outcome: domain.Success}
	v.Events = &[]guard.ProductEvent{login, login, login}
	record, calls := d.surface.Record, 0
	d.surface.Record = func(ctx context.Context, e domain.Entry) error {
		if calls++; calls == 3 {
			return errors.New("the activity queue is full")
		}
		return record(ctx, e)
	}
	w := d.call(v, "/events", "")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"accepted":2`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := len(d.search(as(one), "").Items); got != 2 {
		t.Errorf("%d are kept", got)
	}
	d.surface.Record = nil // audit.tokens: off
	if w := d.call(v, "/events", ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"accepted":0`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
