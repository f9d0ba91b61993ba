package auditlog_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// ARB-17: an export is all of it, as one file.
func TestExport(t *testing.T) {
	d := newDesk(t)
	var list []domain.Entry
	for i := range 1203 {
		list = append(list, domain.Entry{Action: "dlp_block", Issuer: "arb", Client: fmt.Sprint(i), Tenant: one})
	}
	d.happened(list...)
	w := d.call(as(one), "/export", "created_before=2026-11-23T12:20:00Z")
	lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
	if len(lines) != 1200 || w.Header().Get("Content-Type") != "application/x-ndjson" || !strings.Contains(lines[0], `"client_id":"1199"`) || !strings.Contains(lines[1199], `"client_id":"0"`) ||
		w.Header().Get("Content-Disposition") != `attachment; filename="audit-log.ndjson"` {
		t.Errorf("%d lines, %v, %s", len(lines), w.Header(), lines[0])
	}
	w = d.call(as(one), "/export", "format=csv")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) != 1204 || rows[0][0] != "id" || rows[1203][4] != "0" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Errorf("%d rows, %v, %v", len(rows), w.Header(), err)
	}
	if w := d.call(as(two), "/export", "format=csv"); strings.Count(w.Body.String(), "\n") != 1 {
		t.Errorf("nothing is %s", w.Body)
	}
	if w := d.call(as(two), "/export", ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("nothing is %d %s", w.Code, w.Body)
	}
	// D-70: it does not outlive what let it begin, nor does half of it look whole.
	d.alive = func() bool { return false }
	func() {
		defer func() {
			if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // as it is thrown
				t.Errorf("%v", r)
			}
		}()
		d.call(as(one), "/export", "")
	}()
}

// D-103: no cell begins as a formula does.
func TestCells(t *testing.T) {
	d := newDesk(t)
	for i, text := range []string{"=1+1", "+1", "-1", "@x", "\t=1", "a=b", `"quoted", with a comma`} {
		d.happened(domain.Entry{Action: "dlp_block", Issuer: "arb", Client: fmt.Sprint(i), Tenant: one, Resource: text, Details: `{"x":"=1"}`})
	}
	rows, err := csv.NewReader(d.call(as(one), "/export", "format=csv").Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"0": "'=1+1", "1": "'+1", "2": "'-1", "3": "'@x", "4": `'\t=1`, "5": "a=b", "6": `"quoted", with a comma`}
	for _, row := range rows[1:] {
		if row[6] != want[row[4]] || row[10] != `{"x":"=1"}` || len(row) != 11 {
			t.Errorf("%q, want %q", row, want[row[4]])
		}
	}
}

// broken is a trail that fails after so many pages.
type broken struct {
	domain.Trail
	after int
}

func (b *broken) Events(ctx context.Context, q domain.Query) ([]domain.Event, string, error) {
	if b.after--; b.after < 0 {
		return nil, "", errors.New("the store is lost: postgres://u:secret@x")
	}
	return b.Trail.Events(ctx, q)
}

// A store that fails is no empty log, and tells nobody of itself.
func TestStoreFails(t *testing.T) {
	d := newDesk(t)
	var list []domain.Entry
	for range 501 {
		list = append(list, domain.Entry{Action: "dlp_block", Issuer: "arb", Tenant: one})
	}
	d.happened(list...)
	for _, path := range []string{"/", "/export"} {
		d.surface.Trail = &broken{d.db, 0}
		if w := d.call(as(one), path, ""); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	d.surface.Trail = &broken{d.db, 1}
	defer func() {
		if recover() == nil {
			t.Error("half an export looks whole")
		}
	}()
	d.call(as(one), "/export", "")
}
