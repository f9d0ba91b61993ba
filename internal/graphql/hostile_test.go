package graphql_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// hostileBodies are made to cost much. Each is near the most that a body may have, 1 MiB, or has
// as many values as are taken.
func hostileBodies() map[string]string {
	const size, taken = 1 << 20, 9_900
	many := func(format string, n int) string {
		var b strings.Builder
		for i := 0; i < n && b.Len() < size-1000; i++ {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	asking := func(query, variables string) string { return `{"query":"` + query + `","variables":` + variables + `}` }
	const ids, filter = `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `query($f:CandidateFilter!){candidates(filter:$f){id}}`
	const note, one = `query($i:ID!){study(id:$i){note(id:\"n\")}}`, `{"query":"{me{client}}"},`
	return map[string]string{
		"many ids":            asking(ids, `{"i":[`+many(`"#",`, size)+`]}`),
		"ids that are taken":  asking(ids, `{"i":[`+many(`"1",`, taken)+`]}`),
		"a list for a leaf":   asking(note, `{"i":[`+many(`1,`, size)+`]}`),
		"long id":             asking(note, `{"i":"`+strings.Repeat("x", size-1000)+`"}`),
		"long id of escapes":  asking(note, `{"i":"`+strings.Repeat(`\u0041`, size/6-1000)+`"}`),
		"many members":        asking(note, `{`+many(`"v#":1,`, size)+`,"i":"1"}`),
		"member twice":        asking(note, `{`+many(`"v#":1,`, size)+`,"v0":1}`),
		"members of one list": asking(note, `{"i":"1","x":[`+many(`{"a":1,"b":2},`, size)+`]}`),
		"deep":                asking(filter, `{"f":`+strings.Repeat(`{"any":[`, size/20)+strings.Repeat(`]}`, size/20)+`}`),
		"deep, undeclared":    asking(note, `{"i":"1","x":`+strings.Repeat(`[`, size/2-1000)+strings.Repeat(`]`, size/2-1000)+`}`),
		"many filters":        asking(filter, `{"f":{"any":[`+many(`{"studyId":#},`, size)+`]}}`),
		"one list for many":   asking(`query($i:[ID!]!){`+many(`studiesByIds(ids:$i){name} `, 390)+`}`, `{"i":[`+many(`"1",`, taken)+`]}`),
		"filters, taken":      asking(filter, `{"f":{"any":[`+many(`{"studyId":1},`, taken/2)+`]}}`),
		"variables, taken": asking(`query(`+many(`$v#:ID!,`, 500)+`){studiesByIds(ids:[`+many(`$v#,`, 500)+`]){name}}`,
			`{`+many(`"u#":1,`, taken-600)+`,`+many(`"v#":1,`, 500)+`}`),
		"text":                   asking(strings.Repeat("{a}", size/3-1000), `{}`),
		"text of escapes":        asking(strings.Repeat(`\u0041`, size/6-1000), `{}`),
		"name of operation":      `{"query":"{me{client}}","operationName":"` + strings.Repeat("x", size-1000) + `"}`,
		"extensions":             `{"query":"{me{client}}","extensions":[` + many(`1,`, size) + `]}`,
		"batch":                  `[` + many(one, size) + `]`,
		"batch, taken":           `[` + many(one, 100) + `]`,
		"batch of nothing":       `[` + many(`{},`, size) + `]`,
		"batch of ids":           `[` + many(asking(ids, `{"i":[`+many(`"1",`, 2000)+`]}`)+`,`, 100) + `]`,
		"batch of ids, taken":    `[` + many(asking(ids, `{"i":[`+many(`"1",`, 90)+`]}`)+`,`, 100) + `]`,
		"batch of texts":         `[` + many(asking(strings.Repeat("{a}", 20_000), `{}`)+`,`, 100) + `]`,
		"batch of long ids":      `[` + many(asking(note, `{"i":"`+strings.Repeat("x", 10_000)+`"}`)+`,`, 100) + `]`,
		"not JSON, after values": asking(note, `{"i":[`+many(`1,`, taken)+`],}`),
	}
}

// pass does what the guard does with a body.
func pass(s *graphql.Schema, plans *graphql.Cache, rights *policy.Rights, body []byte) (last string) {
	requests, _, err := s.ReadRequests(body, 100)
	if err != nil {
		return reason(err)
	}
	for _, r := range requests {
		plan, err := plans.Plan(s, r.Query, r.OperationName)
		if err != nil {
			return reason(err)
		}
		need, err := plan.Need(r.Variables)
		if err != nil {
			return reason(err)
		}
		if d := need.Decide(rights, said); !d.Allowed {
			return string(d.Reason)
		}
		last = fmt.Sprint(len(need.Body(false)))
	}
	return last
}

// D-81, D-86, D-89: whatever a body holds, it costs memory in proportion to its bytes, and little
// of it for each.
func TestHostileBodies(t *testing.T) {
	s := load(t, graphql.Options{})
	plans, err := graphql.NewCache(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	rights := client(oneStudy, actions...)
	for name, body := range hostileBodies() {
		sent := []byte(body)
		pass(s, plans, rights, sent) // plans are kept
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := pass(s, plans, rights, sent)
		runtime.ReadMemStats(&after)
		spent := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes, %s, %.1f MB", name, len(body), got, float64(spent)/1e6)
		if spent > 8<<20 {
			t.Errorf("%s: %d bytes for %d", name, spent, len(body))
		}
	}
}
