package graphql_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

func sdl(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/trials.graphql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t testing.TB, options graphql.Options) *graphql.Schema {
	t.Helper()
	return loadText(t, sdl(t), nil, options)
}

func loadText(t testing.TB, text string, rules []graphql.Rule, options graphql.Options) *graphql.Schema {
	t.Helper()
	s, problems := graphql.Load(text, rules, options)
	for _, p := range problems {
		t.Error(p)
	}
	if s == nil {
		t.FailNow()
	}
	return s
}

// every action of the schema, so that a case is about what it leaves out.
var actions = []string{"studies:read", "sites:read", "referrers:read", "candidates:list", "candidates:medical", "contacts:read", "names:read",
	"studies:write", "candidates:write", "studies:finance", "studies:secret", "reports:read", "things:read", graphql.Introspect}

func without(list []string, leave ...string) (rest []string) {
	for _, a := range list {
		if !strings.Contains(" "+strings.Join(leave, " ")+" ", " "+a+" ") {
			rest = append(rest, a)
		}
	}
	return rest
}

func client(resources policy.ResourceScope, actions ...string) *policy.Rights {
	return policy.Compile(policy.Held{Scopes: []string{"reports", "all"}, Policies: []policy.Policy{{Actions: actions}}, Resources: resources})
}

var (
	said     = &policy.Said{Scopes: []string{"reports", "all"}}
	everyone = policy.ResourceScope{"study": {All: true}, "site": {All: true}, "referrer": {All: true}}
	oneStudy = policy.ResourceScope{"study": {IDs: []string{"1"}}}
	oneSite  = policy.ResourceScope{"site": {IDs: []string{"7"}}}
)

// judge gives the verdict on one request as a word: "allowed", or the reason with
// what is missing.
func judge(t testing.TB, s *graphql.Schema, rights *policy.Rights, query, variables string) string {
	t.Helper()
	return verdict(s, rights, graphql.Request{Query: query, Variables: json.RawMessage(variables)})
}

func verdict(s *graphql.Schema, rights *policy.Rights, r graphql.Request) string {
	plan, err := s.Plan(r.Query, r.OperationName)
	if err != nil {
		return reason(err)
	}
	need, err := plan.Need(r.Variables)
	if err != nil {
		return reason(err)
	}
	d := need.Decide(rights, said)
	switch {
	case d.Allowed:
		return "allowed"
	case d.Resource.Kind == "":
		return d.Missing
	case d.Resource.All:
		return "all " + d.Resource.Kind
	}
	return d.Resource.Kind + " " + d.Resource.ID
}

func reason(err error) string {
	if r, ok := errors.AsType[*graphql.Refusal](err); ok {
		return string(r.Reason)
	}
	return "error: " + err.Error()
}
