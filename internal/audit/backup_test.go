package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
)

// D-106: the same in a backup file, by whoever keeps it.
func TestTamperedBackup(t *testing.T) {
	db, _ := world(t)
	point := checkpoint(t, db)
	text := backup(t, db)
	lines := strings.SplitAfter(text, "\n")
	lines = lines[:len(lines)-1]
	first := 1 + worldChanges // line of the first batch
	cut := func(list []string, i, n int) []string { return append(append([]string{}, list[:i]...), list[i+n:]...) }
	with := func(i int, line string) []string {
		list := append([]string{}, lines...)
		list[i] = line
		return list
	}
	swap := func(i, j int) []string {
		list := append([]string{}, lines...)
		list[i], list[j] = list[j], list[i]
		return list
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"a changed byte of a change": {with(15, strings.Replace(lines[15], "Billing", "Willing", 1)), `change 15: is not as it was written`},
		"a removed change":           {cut(lines, 15, 1), `change 15: is missing`},
		"a change twice":             {append(append([]string{}, lines[:16]...), lines[15:]...), `change 15: stands behind change 15`},
		"swapped changes":            {swap(15, 16), `change 15: is missing`},
		"a cut tail of changes":      {cut(lines, first-5, 5), `change 40: is the last one written, and the last one there is 35`},
		"a changed byte of an entry": {with(first+2, strings.Replace(lines[first+2], "scope_missing", "scope_mislaid", 1)), `activity of node "node-a", batch 3: is not as it was written`},
		"a removed batch":            {cut(lines, first+2, 1), `activity of node "node-a", batch 3: is missing`},
		"swapped batches":            {swap(first+1, first+2), `activity of node "node-a", batch 2: is missing`},
		"a batch twice":              {append(append([]string{}, lines[:first+2]...), lines[first+1:]...), `activity of node "node-a", batch 2: stands behind batch 2`},
		"a batch apart":              {append(append(append([]string{}, lines[:first+3]...), lines[first+4:first+5]...), lines[first+3:]...), `activity of node "node-a", batch 4: stands apart`},
		"a cut tail of a node":       {cut(lines, len(lines)-2, 1), `activity of node "node-b", batch 4: is missing, and so is what came up to 4, which was there at the checkpoint`},
		"cut off before its end":     {lines[:len(lines)-1], `the file ends before its end`},
		"everything but the first":   {lines[:1], `change 1: is missing, and so is what came up to 40`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := audit.VerifyBackup(strings.NewReader(strings.Join(c.lines, "")), point)
			if err != nil {
				t.Fatal(err)
			}
			if !contains(r.Problems, c.want) {
				t.Errorf("%v, want %s", r.Problems, c.want)
			}
		})
	}
	for name, c := range map[string]string{
		"nothing":               "",
		"no JSON":               "hello\n",
		"a member in two ways":  strings.Join(with(15, strings.Replace(lines[15], `"actor"`, `"Actor":"x","actor"`, 1)), ""),
		"a member twice":        strings.Join(with(15, strings.Replace(lines[15], `"actor"`, `"actor":"x","actor"`, 1)), ""),
		"another format":        strings.Replace(text, `"format":1`, `"format":2`, 1),
		"more after the end":    text + lines[1],
		"changes after batches": strings.Join(append(append([]string{}, lines[:first+1]...), lines[1]), ""),
	} {
		r, err := audit.VerifyBackup(strings.NewReader(c), point)
		if err == nil && r.Err() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What docs/audit.md says of the backup suffices to verify it, byte for byte, in another language.
func TestBackupAsDescribed(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python here")
	}
	db, _ := world(t)
	list := storetest.Entries(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC), 6)
	list[1].Tenant, list[2].Actor, list[3].Details = "t1", "user:\u202e7", "{\"a\": \"\u2028 é\"}"
	if err := db.Append(t.Context(), "node-c", list); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Retain(t.Context(), time.Date(2026, 11, 23, 0, 4, 0, 0, time.UTC)); err != nil || n != 4*worldEntries {
		t.Fatal(n, err)
	}
	whole := backup(t, db)
	for text, passes := range map[string]bool{whole: true, strings.Replace(whole, "user:", "uses:", 1): false, strings.Replace(whole, "Billing", "Willing", 1): false} {
		cmd := exec.CommandContext(t.Context(), python, "testdata/verify.py")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.Output()
		if want := fmt.Sprintln(worldChanges, 2*worldBatches+2); (err == nil) != passes || passes && string(out) != want {
			t.Errorf("passes %v: %q, %v", passes, out, err)
		}
	}
}

// A backup carries every member of an entry: one that is added to domain.Entry and left out
// there would be lost.
func TestBackupCarriesEverything(t *testing.T) {
	e := domain.Entry{ID: domain.NewEventID(time.Now()), Count: 7}
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString("text " + v.Type().Field(i).Name + "\n")
		}
	}
	list := []domain.Entry{e}
	b := audit.Batch{Node: "n", N: 1, First: e.ID, Last: e.ID, Entries: 1, Hash: audit.HashBatch(nil, "n", 1, list)}
	var out bytes.Buffer
	if err := audit.Backup(t.Context(), &out, none{}, one{b, list}); err != nil {
		t.Fatal(err)
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type.Kind() == reflect.String && !strings.Contains(out.String(), "text "+f.Name) {
			t.Errorf("%s is not in the backup", f.Name)
		}
	}
	r, err := audit.VerifyBackup(&out)
	if err != nil || r.Err() != nil || r.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// none is a feed without changes, one is activity of one batch.
type (
	none struct{}
	one  struct {
		batch audit.Batch
		list  []domain.Entry
	}
)

func (none) Follow(context.Context, domain.Seq, int) ([]domain.Change, error) { return nil, nil }
func (none) Head(context.Context) (domain.Head, error)                        { return domain.Head{}, nil }

func (o one) EachBatch(_ context.Context, f func(audit.Batch, []domain.Entry) error) error {
	return f(o.batch, o.list)
}
