package graphql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// What is let through is valid to the library with all of its rules, is forwarded in a
// form that reads the same again, and is decided the same in that form.
func FuzzPlan(f *testing.F) {
	for _, doc := range hostile() {
		if len(doc) < 4000 {
			f.Add(doc, "", "")
		}
	}
	f.Add(thirtyFields(), "Overview", string(thirtyVariables))
	f.Add(`query A($i:ID="1"){study(id:$i){name ...F}} fragment F on Study{status}`, "A", `{"i":1}`)
	f.Add(`mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, "", `{"i":{"studyId":"2"}}`)
	f.Add(`query($f:CandidateFilter!){candidates(filter:$f){id}}`, "", `{"f":{"any":[{"siteIds":7}]}}`)
	f.Add("{find(text:\"\"\"a\n b\"\"\"){... on Study{x:name} ... on Site{x:name}}}", "", "")
	s := load(f, graphql.Options{Introspection: true})
	library := gqlparser.MustLoadSchema(&ast.Source{Input: directives + sdl(f)})
	all := rules.NewDefaultRules()
	clients := []*policy.Rights{client(nil), client(oneStudy, actions...), client(oneSite, "sites:read"), client(everyone, actions...)}
	f.Fuzz(func(t *testing.T, query, name, variables string) {
		plan, err := s.Plan(query, name)
		if err != nil {
			if _, ok := errors.AsType[*graphql.Refusal](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if _, errs := gqlparser.LoadQueryWithRules(library, plan.Document(false), all); errs != nil {
			t.Fatalf("forwarded, but not valid: %v\n%s", errs, plan.Document(false))
		}
		again, err := s.Plan(plan.Document(false), plan.OperationName())
		if err != nil || again.Document(false) != plan.Document(false) {
			t.Fatalf("does not read the same again: %v\n%s", err, plan.Document(false))
		}
		need, err := plan.Need(json.RawMessage(variables))
		if err != nil {
			return
		}
		twice, err := again.Need(need.Variables)
		if err != nil || !bytes.Equal(twice.Variables, need.Variables) {
			t.Fatalf("variables do not read the same again: %v %s %s", err, need.Variables, twice.Variables)
		}
		if !json.Valid(need.Body(false)) {
			t.Fatalf("the body is no JSON: %s", need.Body(false))
		}
		for i, rights := range clients {
			a, b := need.Decide(rights, said), twice.Decide(rights, said)
			if a.Allowed != b.Allowed || a.Reason != b.Reason || a.Missing != b.Missing || a.Resource != b.Resource || a.Path != b.Path {
				t.Fatalf("client %d: %+v, but as forwarded %+v", i, a, b)
			}
			if a.Allowed == (len(need.Missing(rights, said)) > 0) {
				t.Fatalf("client %d: %+v, but %+v is missing", i, a, need.Missing(rights, said))
			}
		}
	})
}

// A request body that is let through says one thing to every reader.
func FuzzReadRequests(f *testing.F) {
	s := load(f, graphql.Options{})
	for _, b := range []string{`{"query":"{a}"}`, `{"query":"{a}","query":"{b}"}`, `{"query":"{a}","variables":{"x":[1]},"operationName":null,"extensions":{}}`, `[{"query":"{a}"}]`, `{"Query":"{a}"}`} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		requests, batch, err := s.ReadRequests(body, 3)
		if err != nil {
			return
		}
		var want []map[string]any
		if batch {
			err = json.Unmarshal(body, &want)
		} else {
			want = make([]map[string]any, 1)
			err = json.Unmarshal(body, &want[0])
		}
		if err != nil || len(want) != len(requests) {
			t.Fatalf("%v: %q", err, body)
		}
		for i, r := range requests {
			if name, _ := want[i]["operationName"].(string); want[i]["query"] != r.Query || name != r.OperationName {
				t.Fatalf("%q: %+v", body, r)
			}
		}
	})
}

// Whatever an answer says, none that is passed on has an object outside, and none a
// hidden alias.
func FuzzCheckResponse(f *testing.F) {
	s := load(f, graphql.Options{CheckResponses: true})
	plan, p := checked(f, s, `{studies{nodes{name sponsor{name} related{id}}} find(text:"a"){... on Study{name} ... on Site{name}}}`)
	for _, body := range []string{
		`{"data":{"studies":{"nodes":[{"#Study_0":"1","name":"a","related":[{"#Study_0":1,"id":"1"}]}]},"find":[{"#t":"Study","#Study_0":"1","name":"a"}]}}`,
		`{"data":{"studies":{"nodes":[{"#Study_0":"2","name":"a"}]}}}`, `{"errors":[{}],"data":null}`, `{"data":{"find":[{"#Site_0":"7","#t":"Site"}]}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		body = bytes.ReplaceAll(body, []byte("#"), []byte(p))
		out, err := plan.CheckResponse(body, client(oneStudy, actions...), said)
		if err != nil {
			if _, ok := errors.AsType[*graphql.Refusal](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if !json.Valid(out) || strings.Contains(string(out), `"`+p) && !strings.Contains(string(body), `:"`+p) {
			t.Fatalf("%s", out)
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if m, ok := v.(map[string]any); ok {
			outside(t, m["data"], p)
		}
	})
}

// outside fails if an object's key is not study 1.
func outside(t *testing.T, v any, prefix string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			outside(t, e, prefix)
		}
	case map[string]any:
		for name, e := range v {
			if k, ok := strings.CutPrefix(name, prefix); ok && k != "t" && (k != "Study_0" || e != "1" && e != json.Number("1")) {
				t.Fatalf("%s: %v", name, e)
			}
			outside(t, e, prefix)
		}
	}
}

// No schema makes Load or Coverage fall over.
func FuzzLoad(f *testing.F) {
	f.Add(sdl(f), "Query.study")
	f.Add(`type Query @scoped(kind:"a"){id:ID a(x:ID@childOf(arg:"x")):Query@wholeScope(kinds:[])}`, "Query.a(x:)")
	f.Add(`interface I{a:I} type Query implements I{a:Query}`, "I.a")
	f.Fuzz(func(t *testing.T, text, coordinate string) {
		s, problems := graphql.Load(text, []graphql.Rule{{Coordinate: coordinate, Authenticated: true, Unscoped: true}}, graphql.Options{CheckResponses: true})
		if (s == nil) != (len(problems) > 0) {
			t.Fatalf("%v", problems)
		}
		if s == nil {
			return
		}
		s.Coverage()
		_, _ = s.Plan(`{__typename}`, "")
	})
}
