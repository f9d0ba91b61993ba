package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// listed is a trail of events in memory, by pages of two.
type listed []domain.Event

func (l listed) Events(_ context.Context, q domain.Query) ([]domain.Event, string, error) {
	from := len(q.Cursor)
	to := min(from+2, len(l))
	if to == len(l) {
		return l[from:], "", nil
	}
	return l[from:to], strings.Repeat("x", to), nil
}

func events() listed {
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	hostile := []string{`=1+1`, `a;=1+1`, "\uff1d1", `+1`, `-1`, `@SUM(A1)`, "\t=1", "\r=1", `a"b,c`, "new\nline\r\nand more", "\u202egnp.exe", "plain", "",
		"nul\x00 esc\x1b[2J", "nel\u0085 ls\u2028 ps\u2029", "\xff\xfe{\"id\":\"forged\"}", strings.Repeat("=", 4096)}
	var list listed
	for i, text := range hostile {
		list = append(list, domain.Event{
			ID: "e", Time: at, Action: "token.refuse", Actor: text, Client: text, Outcome: domain.Refused, Reason: text, Correlation: text, Count: uint32(i),
			Details: json.RawMessage(`{"name":"=x\n,\"y"}`), // the first; the others are longer
		})
	}
	for i := range list[1:] {
		list[i+1].Details = json.RawMessage(`{"text":"` + strings.Repeat("\u2028{}\u0085;=1", i*20) + `","escaped":"\u0000\u202e\n"}`)
	}
	return append(list, domain.Event{ID: "change-7", Time: at, Action: "client.create", Actor: "local:0", Resource: "client/rfc/a", Outcome: domain.Success, Seq: 7, Count: 1})
}

// D-103: nothing in a cell begins a formula. D-108: nothing in it ends a line, or hides.
func TestCell(t *testing.T) {
	for in, out := range map[string]string{
		"":                     "",
		"plain":                "plain",
		"a=b":                  "a=b",
		"=1+1":                 "'=1+1",
		"+49":                  "'+49",
		"-1":                   "'-1",
		"@SUM":                 "'@SUM",
		"\t=1":                 `'\t=1`,
		"\r=1":                 `'\r=1`,
		"\n=1":                 `\n=1`,
		"'=1":                  "'=1",
		"\uff1d1":              "'\uff1d1",
		"\uff201":              "'\uff201",
		"a;=1":                 "a;'=1",
		`a; "=1;-1`:            `a;' "=1;'-1`,
		"=1;;\t@x;":            `'=1;;\t@x;`,
		"a;b; c;":              "a;b; c;",
		"a\nb\rc\td":           `a\nb\rc\td`,
		"\x00\x1b[31m\x7f":     `\u0000\u001b[31m\u007f`,
		"\u0085\u2028\u2029":   `\u0085\u2028\u2029`,
		"\u202egnp.exe":        `\u202egnp.exe`,
		"\ufeff=1":             `\ufeff=1`,
		"caf\u00e9 \U0001f600": "caf\u00e9 \U0001f600",
		"\xff=":                "\ufffd=",
	} {
		if got := audit.Cell(in); got != out {
			t.Errorf("%q: %q, want %q", in, got, out)
		}
	}
}

func export(t *testing.T, format audit.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := audit.Export(t.Context(), &b, format, events(), domain.Query{})
	if err != nil || n != int64(len(events())) {
		t.Fatal(n, err)
	}
	return b.Bytes()
}

// D-103, D-108: whoever reads the file back, cell by cell, meets no formula and one line for
// each event.
func TestExportCSV(t *testing.T) {
	data := export(t, audit.CSV)
	if lines := bytes.Count(data, []byte("\n")); lines != len(events())+1 || lines != bytes.Count(data, []byte("\r\n")) {
		t.Errorf("%d lines", lines)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := strings.Join(rows[0], ",")
	want(t, "columns", head, "id,created_at,action,actor,issuer,client_id,tenant_id,resource,outcome,reason,scope,secret_id,request_id,correlation_id,source,count,change,details")
	for i, row := range rows[1:] {
		for n, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\r\n\t") {
				t.Errorf("row %d, %s: %q", i, rows[0][n], cell)
			}
		}
		want(t, "actor", row[3], audit.Cell(events()[i].Actor))
	}
	want(t, "a change", rows[len(rows)-1], []string{"change-7", "2026-11-23T12:00:00.123456Z", "client.create", "local:0", "", "", "", "client/rfc/a", "success", "", "", "", "", "", "", "1", "7", ""})
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python here: the file was read back by encoding/csv only")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `import csv,io,json,sys; print(json.dumps(list(csv.reader(io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="")))))`)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs [][]string
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatal(err)
	}
	want(t, "as Python reads it", theirs, rows)
}

// One event a line, its members in one order, nothing changed in them (D-108).
func TestExportNDJSON(t *testing.T) {
	data := export(t, audit.NDJSON)
	if bytes.ContainsAny(data, "\u0085\u2028\u2029\r\x00") {
		t.Error("what could be taken for the end of a line")
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	n := 0
	for ; lines.Scan(); n++ {
		var item audit.EventItem
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		e := events()[n]
		for _, text := range []*string{&e.Actor, &e.Client, &e.Reason, &e.Correlation} {
			*text = string([]rune(*text)) // what is no UTF-8 is U+FFFD
		}
		expected := audit.EventItemOf(&e)
		if v, err := said(item.Details); err != nil {
			t.Fatal(err)
		} else if as, err := said(expected.Details); err != nil || v != as {
			t.Errorf("details %s of %s, %v", v, as, err)
		}
		item.Details, expected.Details = nil, nil
		want(t, "item", item, expected)
	}
	want(t, "lines", n, len(events()))
	first, _, _ := strings.Cut(string(data), "\n")
	want(t, "the first", first, `{"id":"e","created_at":"2026-11-23T12:00:00.123456Z","action":"token.refuse","actor":"=1+1","client_id":"=1+1","outcome":"refused","reason":"=1+1","correlation_id":"=1+1","count":1,"details":{"name":"=x\n,\"y"}}`)
}

// said is what a JSON text says, however it is escaped.
func said(text json.RawMessage) (string, error) {
	var v any
	if text == nil {
		return "", nil
	}
	err := json.Unmarshal(text, &v)
	return fmt.Sprintf("%q", v), err
}

type failing struct{}

func (failing) Events(context.Context, domain.Query) ([]domain.Event, string, error) {
	return nil, "", errors.New("down")
}

func TestExportFails(t *testing.T) {
	if _, err := audit.Export(t.Context(), &bytes.Buffer{}, audit.CSV, failing{}, domain.Query{}); err == nil {
		t.Error("what could not be read is told as if there were nothing")
	}
	if _, err := audit.Export(t.Context(), &bytes.Buffer{}, "xlsx", events(), domain.Query{}); err == nil {
		t.Error("a format that there is none of")
	}
}
