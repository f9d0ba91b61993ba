package graphql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// TRI-06: {query, variables, operationName}, and nothing that two readers could
// understand differently.
func TestRequest(t *testing.T) {
	s := load(t, graphql.Options{})
	for _, tc := range []struct{ name, body, want string }{
		{"all three", `{"query":"{a}","variables":{"x":1},"operationName":"A"}`, `{a} {"x":1} A`},
		{"nulls", `{"query":"{a}","variables":null,"operationName":null,"extensions":null}`, `{a} null `},
		{"D-85 query twice", `{"query":"{a}","query":"{b}"}`, "malformed"},
		{"D-85 query twice, escaped", `{"query":"{a}","\u0071uery":"{b}"}`, "malformed"},
		{"D-85 in another case", `{"query":"{a}","Query":"{b}"}`, "not_supported"},
		{"no query", `{"variables":{}}`, "malformed"},
		{"query is null", `{"query":null}`, "malformed"},
		{"query is an object", `{"query":{}}`, "malformed"},
		{"variables are a list", `{"query":"{a}","variables":[]}`, "malformed"},
		{"variables are text", `{"query":"{a}","variables":"{}"}`, "malformed"},
		{"operationName is a number", `{"query":"{a}","operationName":1}`, "malformed"},
		{"D-84 persisted query", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, "not_supported"},
		{"extensions that are no object", `{"query":"{a}","extensions":[]}`, "not_supported"},
		{"D-84 persisted query beside a query", `{"query":"{a}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, "not_supported"},
		{"D-84 by id", `{"id":"1"}`, "not_supported"},
		{"D-86 variables are read later", `{"query":"{a}","variables":{"x":{}},"operationName":""}`, `{a} {"x":{}} `},
		{"D-84 extensions that say nothing", `{"query":"{a}","extensions":{}}`, `{a}  `},
		{"extensions that are text", `{"query":"{a}","extensions":"x"}`, "not_supported"},
		{"escapes", `{"qu\u0065ry":"{\u0061}\n"}`, "{a}\n  "},
		{"text", `{a}`, "malformed"},
		{"something after", `{"query":"{a}"} {}`, "malformed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requests, _, err := s.ReadRequests([]byte(tc.body), 1)
			r := append(requests, graphql.Request{})[0]
			got := r.Query + " " + string(r.Variables) + " " + r.OperationName
			if err != nil {
				got = reason(err)
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// D-81: a batch is each of its requests, and not more of them than allowed.
func TestBatch(t *testing.T) {
	s := load(t, graphql.Options{})
	for _, tc := range []struct{ body, want string }{
		{`{"query":"{a}"}`, "{a}"},
		{` [ {"query":"{a}"} , {"query":"{b}","variables":{"x":[{}]}} ] `, "{a},{b}"},
		{`[]`, "malformed"},
		{`[[{"query":"{a}"}]]`, "malformed"},
		{`[{"query":"{a}"},1]`, "malformed"},
		{`[{"query":"{a}"},{"query":"{a}","query":"{b}"}]`, "malformed"},
		{`[{"query":"{a}"},{"query":"{a}"},{"query":"{a}"}]`, "too_complex"},
		{`[{"query":"{a}"}`, "malformed"},
		{``, "malformed"},
	} {
		requests, batch, err := s.ReadRequests([]byte(tc.body), 2)
		var queries []string
		for _, r := range requests {
			queries = append(queries, r.Query)
		}
		got := strings.Join(queries, ",")
		if err != nil {
			got = reason(err)
		}
		if got != tc.want || err == nil && batch != strings.Contains(tc.body, "[ ") {
			t.Errorf("%s: got %s (batch %t), want %s", tc.body, got, batch, tc.want)
		}
	}
}

// D-82: what is a mutation says so.
func TestMutation(t *testing.T) {
	s := load(t, graphql.Options{})
	for query, want := range map[string]bool{`mutation{updateStudy(input:{studyId:1}){ok}}`: true, `{me{client}}`: false} {
		plan, err := s.Plan(query, "")
		if err != nil || plan.Mutation() != want {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// The refusal is that of the first place in the document, named as the document names
// it (D-93); Missing tells the rest.
func TestDecision(t *testing.T) {
	s := load(t, graphql.Options{})
	plan, err := s.Plan("{\n  me { client }\n  x: study(id: 2) { ...F }\n  find(text: \"a\") { __typename }\n}\nfragment F on Study { b: budget }", "")
	if err != nil {
		t.Fatal(err)
	}
	need, err := plan.Need(nil)
	if err != nil {
		t.Fatal(err)
	}
	rights := client(oneStudy, "studies:read")
	want := []graphql.Decision{
		{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "2"}, Path: "x", Coordinate: "Query.study", Line: 3, Column: 3},
		{Reason: policy.ActionMissing, Missing: "studies:finance", Path: "x.b", Coordinate: "Study.budget", Line: 6, Column: 23},
		{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "study", All: true}, Path: "find", Coordinate: "Query.find", Line: 4, Column: 3},
		{Reason: policy.ActionMissing, Missing: "sites:read", Path: "find", Coordinate: "Query.find", Line: 4, Column: 3},
		{Reason: policy.ResourceOutside, Resource: policy.Resource{Kind: "site", All: true}, Path: "find", Coordinate: "Query.find", Line: 4, Column: 3},
	}
	if diff := cmp.Diff(want, need.Missing(rights, said)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(want[0], need.Decide(rights, said)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// An OR is told with all of its alternatives.
	d := decide(t, s, client(everyone), `{find(text:"a"){__typename}}`)
	if len(d.Alternatives) != 2 || d.Missing != "studies:read" || d.Alternatives[1].Actions[0] != "sites:read" {
		t.Errorf("%+v", d)
	}
	// What the token says narrows what is held.
	narrow := &policy.Said{Resources: policy.ResourceScope{"study": {IDs: []string{"3"}}}}
	if d := need.Decide(client(everyone, actions...), narrow); d.Allowed || d.Resource.ID != "2" {
		t.Errorf("%+v", d)
	}
	if _, err := s.Plan(`{study(id:1){name secret}}`, ""); err == nil {
		t.Error("an unknown field")
	} else if r, _ := errors.AsType[*graphql.Refusal](err); r.Line != 1 || r.Column != 19 {
		t.Errorf("%+v", r)
	}
}

func decide(t *testing.T, s *graphql.Schema, rights *policy.Rights, query string) graphql.Decision {
	t.Helper()
	plan, err := s.Plan(query, "")
	if err != nil {
		t.Fatal(err)
	}
	need, err := plan.Need(nil)
	if err != nil {
		t.Fatal(err)
	}
	return need.Decide(rights, said)
}

// Plans are kept by schema, name and whole text: nothing else tells documents apart,
// and nothing less (RULES "Guard, GraphQL").
func TestCache(t *testing.T) {
	cache, err := graphql.NewCache(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	strict, loose := load(t, graphql.Options{}), load(t, graphql.Options{Introspection: true})
	plan := func(s *graphql.Schema, query, name string) string {
		p, err := cache.Plan(s, query, name)
		if err != nil {
			return reason(err)
		}
		return p.Document(false)
	}
	for range 2 {
		for _, tc := range []struct {
			schema            *graphql.Schema
			query, name, want string
		}{
			{strict, `query A{me{client}} query B{studyCount}`, "A", `query A{me{client}}`},
			{strict, `query A{me{client}} query B{studyCount}`, "B", `query B{studyCount}`},
			{strict, `query A{me{client}} query B{studyCount} `, "", "no_operation"},
			{strict, `{__schema{types{name}}}`, "", "introspection"},
			{loose, `{__schema{types{name}}}`, "", `query{__schema{types{name}}}`},
			{strict, `{nothing}`, "", "invalid"},
		} {
			if got := plan(tc.schema, tc.query, tc.name); got != tc.want {
				t.Errorf("%s %s: got %s, want %s", tc.query, tc.name, got, tc.want)
			}
		}
	}
	first, _ := cache.Plan(strict, `{me{client}}`, "")
	second, _ := cache.Plan(strict, `{me{client}}`, "")
	if first == nil || first != second {
		t.Error("the plan is not kept")
	}
}
