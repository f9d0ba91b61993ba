package graphql_test

import (
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

const listed = `
type Query @authenticated {
  conn(first: Int @paging): Conn @checkable
  ofStudy(study: ID! @scopedBy(kind: "study")): Conn
  study(id: ID! @scopedBy(kind: "study")): Study
}
type Conn @authenticated { edges: [Edge] deep: [[Edge!]!]! page: Page nodes: [Study] }
type Edge @authenticated { node: Study site: Site cursor: String @unscoped sub: Edge }
type Page @unscoped @authenticated { more: Boolean }
type Study @scoped(kind: "study") @authenticated { id: ID! edges: [Edge] own: [Edge] @unscoped }
type Site @scoped(kind: "site") @authenticated { id: ID! }`

// D-79, D-87: how many containers there are tells how many objects there are, even if
// nobody asks for one of these.
func TestCountOfContainers(t *testing.T) {
	for _, c := range []struct{ query, pass, check string }{
		{`{conn{__typename page{more}}}`, "allowed", "allowed"},
		{`{conn{edges{__typename}}}`, "all site", "all site"},
		{`{conn{edges{cursor}}}`, "all site", "all site"},
		{`{conn{deep{__typename}}}`, "all site", "all site"},
		{`{conn{edges{node{id}}}}`, "all site", "allowed"},
		{`{conn{edges{sub{node{id}}}}}`, "all site", "allowed"},
		{`{conn{edges{...F}}} fragment F on Edge{...on Edge{node{id}}}`, "all site", "allowed"},
		{`{conn{edges{node@skip(if:true){id}}}}`, "all site", "all site"},
		{`{conn{edges{...@include(if:false){node{id}}}}}`, "all site", "all site"},
		{`{conn{edges{...F@skip(if:true)}}} fragment F on Edge{node{id}}`, "all site", "all site"},
		{`{conn{edges{sub{__typename}}}}`, "all site", "all site"},
		{`{ofStudy(study:1){edges{__typename}}}`, "allowed", "allowed"},
		{`{study(id:1){own{__typename}}}`, "allowed", "allowed"},
		{`{study(id:1){edges{__typename}}}`, "all site", "all site"},
	} {
		for _, checks := range []bool{false, true} {
			s, want := loadText(t, listed, nil, graphql.Options{CheckResponses: checks}), c.pass
			if checks {
				want = c.check
			}
			if got := judge(t, s, client(oneStudy), c.query, ""); got != want {
				t.Errorf("%s, checked %v: got %s, want %s", c.query, checks, got, want)
			}
		}
	}
	s := loadText(t, listed, nil, graphql.Options{})
	if got := judge(t, s, client(policy.ResourceScope{"study": {All: true}, "site": {All: true}}), `{conn{edges{__typename}}}`, ""); got != "allowed" {
		t.Errorf("all of them: %s", got)
	}
}
