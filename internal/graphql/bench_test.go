package graphql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// directives defines ours for the library alone.
const directives = `
directive @authenticated on OBJECT | FIELD_DEFINITION | INTERFACE
directive @requiresScopes(scopes: [[String!]!]!) on OBJECT | FIELD_DEFINITION | INTERFACE
directive @policy(policies: [[String!]!]!) on OBJECT | FIELD_DEFINITION | INTERFACE | ENUM_VALUE | INPUT_FIELD_DEFINITION
directive @scoped(kind: String!, by: String! = "id") on OBJECT | INTERFACE
directive @scopedBy(kind: String!) on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
directive @childOf(arg: String!) on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
directive @unscoped on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | FIELD_DEFINITION | OBJECT
directive @wholeScope(kinds: [String!]) on FIELD_DEFINITION
directive @checkable on FIELD_DEFINITION
directive @paging on ARGUMENT_DEFINITION
`

// thirty is a document of 30 fields, with a fragment, variables and an alias.
const thirty = `query Overview($study: ID!, $site: ID, $n: Int) {
  study(id: $study) {
    id name status budget
    sponsor { name country }
    sites(first: $n) { id name }
    candidates(siteId: $site) { totalCount nodes { ...C } }
    note(id: "n1")
  }
  site(id: $site2) { id name study { id name status } }
  more: candidates(filter: {studyId: $study, status: NEW}, first: 10) { ...C }
}
fragment C on Candidate { id studyId initials status }
`

func thirtyFields() string {
	return strings.Replace(strings.Replace(thirty, "$site2", "$site", 1), "$site: ID,", "$site: ID!,", 1)
}

var thirtyVariables = json.RawMessage(`{"study":"1","site":"7","n":10}`)

// A plan that is there, decided for one request: variables, ids, both axes.
func BenchmarkDecideThirtyFieldsCached(b *testing.B) {
	s := load(b, graphql.Options{})
	cache, err := graphql.NewCache(1 << 20)
	if err != nil {
		b.Fatal(err)
	}
	rights := client(policy.ResourceScope{"study": {IDs: []string{"1", "2"}}, "site": {IDs: []string{"7"}}}, actions...)
	doc := thirtyFields()
	b.ReportAllocs()
	for b.Loop() {
		plan, err := cache.Plan(s, doc, "")
		if err != nil {
			b.Fatal(err)
		}
		need, err := plan.Need(thirtyVariables)
		if err != nil {
			b.Fatal(err)
		}
		if d := need.Decide(rights, said); !d.Allowed {
			b.Fatal(d)
		}
	}
}

// First sight of a document, against the library's parse and validate of the same in
// the same run: at most 1.4 times (issue 4).
func BenchmarkFirstSightThirtyFields(b *testing.B) {
	doc := thirtyFields()
	b.Run("gqlparser", func(b *testing.B) {
		schema := gqlparser.MustLoadSchema(&ast.Source{Input: directives + sdl(b)})
		all := rules.NewDefaultRules()
		b.ReportAllocs()
		for b.Loop() {
			if _, errs := gqlparser.LoadQueryWithRules(schema, doc, all); errs != nil {
				b.Fatal(errs)
			}
		}
	})
	for name, options := range map[string]graphql.Options{"plan": {}, "plan and check": {CheckResponses: true}} {
		b.Run(name, func(b *testing.B) {
			s := load(b, options)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Plan(doc, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An answer of 100 objects and 20 KB, against encoding/json decoding into any and
// encoding the same: at most 1.5 times (issue 4).
func BenchmarkCheckResponse(b *testing.B) {
	s := load(b, graphql.Options{CheckResponses: true})
	plan, p := checked(b, s, `{studies{nodes{id name status sponsor{name country}}}}`)
	var body strings.Builder
	for i := range 100 {
		fmt.Fprintf(&body, `,{"%sStudy_0":"%d","id":"%d","name":"A study with a name, number %d of them","status":"OPEN","sponsor":{"name":"A sponsor of studies with a name","country":"Germany"}}`, p, i%20, i%20, i)
	}
	answer := []byte(`{"data":{"studies":{"nodes":[` + body.String()[1:] + `]}}}`)
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprint(i))
	}
	rights := client(policy.ResourceScope{"study": {IDs: ids}}, actions...)
	b.Run("encoding json", func(b *testing.B) {
		b.SetBytes(int64(len(answer)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(answer, &v); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(answer)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := plan.CheckResponse(answer, rights, said); err != nil {
				b.Fatal(err)
			}
		}
	})
}
