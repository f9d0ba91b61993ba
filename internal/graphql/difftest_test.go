package graphql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// The proof of issue 4: schemas, data, grants and operations are generated, and the
// engine is held against two references that share nothing with it: one answers the
// operation and looks at everything that came back, the other applies the rules of
// the package's doc comment one after another. What the first forbids never passes;
// what the second allows is not refused, and forwarded with the same meaning.
// TRI-08, TRI-09, TRI-10, D-73, D-75..D-80, D-86..D-88, D-91.

// world is one generated schema, loaded.
type world struct {
	m       *model
	text    string
	rules   []graphql.Rule
	options graphql.Options
	schema  *graphql.Schema
	cache   *graphql.Cache
}

func drawWorld(t testing.TB, s *source) *world {
	w := &world{m: drawModel(s)}
	w.text, w.rules = w.m.sdl(s)
	w.options = graphql.Options{CheckResponses: s.percent(50), Introspection: s.percent(20),
		Limits: graphql.Limits{Depth: 40, Aliases: 10000, Cost: 1000000, Tokens: 100000, Bytes: 1 << 20, Directives: 1000, Fragments: 1000}}
	schema, problems := graphql.Load(w.text, w.rules, w.options)
	if problems != nil {
		t.Fatalf("%v\n%s", problems, w.text)
	}
	w.schema, w.cache = schema, plans
	return w
}

// plans are shared by all worlds, as they are by all APIs of a process.
var plans, _ = graphql.NewCache(1 << 20)

// tally counts what was seen, so that a generator that says nothing is noticed.
type tally struct{ requests, cases, defects, allowed, refused, checked, outside, forbidden int }

// trial is one request of one client against one world.
type trial struct {
	testing.TB
	*world
	*tally
	r    request
	g    *grant
	doc  *document
	op   *operation
	seed uint64
}

// differ draws a request and some clients, and tries each.
func differ(tb testing.TB, w *world, s *source, n *tally) {
	g := drawGrant(s, w.m.kinds)
	t := &trial{TB: tb, world: w, tally: n, r: drawRequest(s, w.m, g), seed: uint64(s.below(1 << 30))}
	n.requests++
	plan, err := w.schema.Plan(t.r.query, t.r.name)
	if w.cache != nil && s.percent(50) {
		plan, err = w.cache.Plan(w.schema, t.r.query, t.r.name)
	}
	if t.r.defect != "" {
		n.defects++
		if err == nil {
			t.fail("%s passed", t.r.defect)
		}
		return
	}
	var malformed error
	if t.doc, malformed = parseDocument(t.r.query, w.m); malformed != nil {
		t.fail("the reference cannot read it: %v", malformed)
	}
	t.op = choose(t.doc, t.r.name)
	if _, malformed = (coercer{}).variables(t.op, []byte(t.r.variables)); malformed != nil {
		t.fail("the reference cannot read the variables: %v", malformed)
	}
	for range 4 {
		t.g = g
		t.try(plan, err)
		g = g.less(s, w.m.kinds)
	}
}

func choose(d *document, name string) *operation {
	for _, o := range d.operations {
		if o.name == name || name == "" {
			return o
		}
	}
	return nil
}

func (t *trial) fail(format string, args ...any) {
	t.Helper()
	rules, _ := json.MarshalIndent(t.rules, "", " ")
	grant, _ := json.Marshal(map[string]any{"said": t.g})
	if t.g != nil {
		grant = fmt.Appendf(nil, "%+v", *t.g)
	}
	t.Fatalf("%s\n%s\n%s\nquery: %s\nname: %q variables: %s\noptions: %+v\ngrant: %s", fmt.Sprintf(format, args...), t.text, rules, t.r.query, t.r.name, t.r.variables, t.options, grant)
}

// execute answers the operation; whole is as if skip and include did not stand.
func (t *trial) execute(doc *document, op *operation, variables []byte, whole bool) (*execution, []byte) {
	vars, err := coercer{}.variables(op, variables)
	if err != nil {
		t.fail("variables: %v", err)
	}
	sent, _ := coercer{bare: true}.variables(op, variables)
	x := &execution{m: t.m, g: t.g, doc: doc, op: op, vars: vars, sentVars: sent, seed: t.seed, whole: whole}
	answer, err := x.run()
	if err == errTooMuch || x.fields > maxFields && doc == t.doc {
		return nil, nil
	}
	if err != nil {
		t.fail("execution: %v", err)
	}
	return x, answer
}

// try holds the engine against both references.
func (t *trial) try(plan *graphql.Plan, refusal error) {
	t.cases++
	whole, _ := t.execute(t.doc, t.op, []byte(t.r.variables), true)
	if whole == nil {
		return
	}
	rules := &ruling{m: t.m, g: t.g, doc: t.doc, op: t.op, vars: whole.vars, sentVars: whole.sentVars, checks: t.options.CheckResponses, open: t.options.Introspection}
	rules.judge()
	var need *graphql.Need
	if refusal == nil {
		need, refusal = plan.Need(json.RawMessage(t.r.variables))
	}
	var d graphql.Decision
	if rights := t.g.rights(); refusal == nil {
		d = need.Decide(rights, &t.g.said)
		t.missing(need, rights, d)
	}
	t.compare(whole, rules, d, refusal)
	if !d.Allowed {
		t.refused++
		return
	}
	t.allowed++
	for range map[bool]int{true: 4, false: 1}[d.Check] { // the same question, other data
		t.seed++
		actual, answer := t.execute(t.doc, t.op, []byte(t.r.variables), false)
		if actual == nil {
			continue
		}
		t.forwarded(need, answer)
		if d.Check {
			t.checkedAnswer(plan, need, actual, answer)
		}
	}
}

// compare holds a decision against what both references say.
func (t *trial) compare(whole *execution, rules *ruling, d graphql.Decision, refusal error) {
	forbidden := whole.touched
	if !rules.check {
		forbidden = append(forbidden, whole.outside...)
	}
	if len(forbidden) > 0 {
		t.forbidden++
	}
	switch {
	case len(forbidden) > 0 && d.Allowed:
		t.fail("UNSAFE: allowed, but %q", forbidden)
	case len(rules.refused) == 0 && !d.Allowed:
		t.fail("INCOMPLETE: %v %+v", refusal, d)
	case len(rules.refused) > 0 && d.Allowed:
		t.fail("LOOSE: allowed, but %q", rules.refused)
	case d.Allowed && rules.check && !d.Check:
		t.fail("CHECK: %t, want %t", d.Check, rules.check)
	}
}

// missing: what is said to be missing is what has to be granted, and all of it.
func (t *trial) missing(need *graphql.Need, rights *policy.Rights, d graphql.Decision) {
	list := need.Missing(rights, &t.g.said)
	if (len(list) == 0) != d.Allowed {
		t.fail("Decide says %+v, Missing %+v", d, list)
	}
	if d.Allowed {
		return
	}
	if first := list[0]; first.Path != d.Path || first.Reason != d.Reason || first.Resource != d.Resource {
		t.fail("Decide says %+v, Missing first %+v", d, first)
	}
	more := t.g.with(list)
	if d := need.Decide(more.rights(), &more.said); !d.Allowed {
		t.fail("GRANTED what was missing, %+v, and still %+v", list, d)
	}
}

// forward answers what the engine forwards.
func (t *trial) forward(body []byte) []byte {
	var sent struct {
		Query         string
		OperationName string
		Variables     json.RawMessage
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&sent); err != nil {
		t.fail("forwarded %s: %v", body, err)
	}
	doc, err := parseDocument(sent.Query, t.m)
	if err != nil {
		t.fail("forwarded %s: %v", body, err)
	}
	if len(doc.operations) != 1 || doc.operations[0].name != sent.OperationName || sent.OperationName != t.op.name {
		t.fail("forwarded another operation: %s", body)
	}
	_, answer := t.execute(doc, doc.operations[0], sent.Variables, false)
	return answer
}

// forwarded holds what is forwarded against what was sent: the same answer (D-78).
func (t *trial) forwarded(need *graphql.Need, answer []byte) {
	if got := t.forward(need.Body(false)); !bytes.Equal(got, answer) {
		t.fail("FORWARDED %s\nanswers %s\ninstead of %s", need.Body(false), got, answer)
	}
}

// checkedAnswer holds the response guard against what came back (D-88).
func (t *trial) checkedAnswer(plan *graphql.Plan, need *graphql.Need, actual *execution, answer []byte) {
	t.checked++
	full := t.forward(need.Body(true))
	got, err := plan.CheckResponse(full, t.g.rights(), &t.g.said)
	if len(actual.outside) > 0 {
		t.outside++
		if err == nil {
			t.fail("UNCHECKED: %q passed in %s\nanswer to %s", actual.outside, full, need.Body(true))
		}
		return
	}
	if err != nil && len(actual.doubted) > 0 {
		return // the guard looks at them, as it does not know the variables
	}
	if err != nil {
		t.fail("CHECKED: %v of %s\nanswer to %s", err, full, need.Body(true))
	}
	if plain(t, got) != plain(t, answer) {
		t.fail("CHANGED: %s\ninstead of %s", got, answer)
	}
	t.tamper(plan, full)
}

var hiddenKey = regexp.MustCompile(`"(p[0-9a-f]{16}_\w+_\d+)":("[^"]*"|\d+),?`)

// tamper changes keys in an answer that passed: none may be missing, odd or outside.
func (t *trial) tamper(plan *graphql.Plan, answer []byte) {
	for _, k := range t.m.kinds {
		if t.g.all(k) {
			return // its keys need not lie inside
		}
	}
	keys := hiddenKey.FindAllSubmatchIndex(answer, -1)
	if len(keys) == 0 {
		return
	}
	at := keys[int(t.seed)%len(keys)]
	head, tail := string(answer[:at[0]]), string(answer[at[1]:])
	name := string(answer[at[2]:at[3]])
	for _, member := range []string{"", `"` + name + `":null,`, `"` + name + `":["1"],`, `"` + name + `":1.0,`, `"` + name + `":true,`, `"x":1,` + string(answer[at[0]:at[1]])} {
		changed := head + member + tail
		if _, err := plan.CheckResponse([]byte(changed), t.g.rights(), &t.g.said); err == nil {
			t.fail("TAMPERED: %s passed", changed)
		}
	}
}

// plain re-writes JSON, token by token, so that only its meaning and order count.
func plain(t testing.TB, text []byte) string {
	var out strings.Builder
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		tok, err := d.Token()
		if err != nil {
			return out.String()
		}
		fmt.Fprintf(&out, "%T %v,", tok, tok)
	}
}

// A normal run: some thousand cases from fixed seeds.
func TestDifferential(t *testing.T) {
	n := &tally{}
	seeds := []uint64{253, 455, 543, 897} // what tells broken engines apart that the first ones do not
	for seed := range uint64(200) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		s := numbered(seed)
		w := drawWorld(t, s)
		for range 12 {
			differ(t, w, s, n)
		}
	}
	t.Logf("%+v", *n)
	if n.allowed*20 < n.cases || n.refused*20 < n.cases || n.forbidden*20 < n.cases || n.checked < 50 || n.outside < 20 || n.defects < 20 {
		t.Errorf("the generator says too little: %+v", *n)
	}
}

// FuzzDifferential changes the choices that the three parts of a case are made of.
func FuzzDifferential(f *testing.F) {
	for seed := range byte(16) {
		f.Add([]byte{seed}, []byte{seed})
	}
	f.Fuzz(func(t *testing.T, schema, requests []byte) {
		w := drawWorld(t, newSource(schema))
		w.cache = nil // its goroutines would look like new coverage
		s := newSource(requests)
		for range 4 {
			differ(t, w, s, &tally{})
		}
	})
}
