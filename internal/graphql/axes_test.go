package graphql_test

import (
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// TRI-08, TRI-09: both axes, all or nothing.
func TestAxes(t *testing.T) {
	s := load(t, graphql.Options{})
	study := client(oneStudy, actions...)
	for _, tc := range []struct {
		name   string
		rights *policy.Rights
		query  string
		want   string
	}{
		{"its own study", study, `{study(id:"1"){name}}`, "allowed"},
		{"TRI-09 one field more", client(oneStudy, without(actions, "studies:finance")...), `{study(id:"1"){name budget}}`, "studies:finance"},
		{"TRI-08 action, no resource", client(nil, actions...), `{study(id:"1"){name}}`, "study 1"},
		{"TRI-08 resource, no action", client(oneStudy), `{study(id:"1"){name}}`, "studies:read"},
		{"D-73 another study", study, `{study(id:"2"){name}}`, "study 2"},
		{"D-73 one study of two", study, `{studiesByIds(ids:["1","2"]){name}}`, "study 2"},
		{"D-75 alias of a denied field", client(oneStudy, without(actions, "studies:finance")...), `{study(id:"1"){name:budget}}`, "studies:finance"},
		{"D-75 alias of a denied object", study, `{a:study(id:"1"){name} b:study(id:"2"){name}}`, "study 2"},
		{"D-87 all studies", study, `{studies{nodes{name}}}`, "all study"},
		{"D-87 all studies, with all", client(everyone, actions...), `{studies{nodes{name} totalCount edges{cursor node{id}} pageInfo{endCursor}}}`, "allowed"},
		{"D-87 through edges", study, `{studies{edges{node{name}}}}`, "all study"},
		{"count", study, `{studyCount}`, "all study"},
		{"total beside", study, `{studies{totalCount}}`, "all study"},
		{"page info says nothing", study, `{studies{pageInfo{hasNextPage}}}`, "allowed"},
		{"plain below scoped", study, `{study(id:1){sponsor{name country}}}`, "allowed"},
		{"by promise", study, `{study(id:1){sites{name}}}`, "allowed"},
		{"by promise, through a container", study, `{study(id:1){candidates{totalCount nodes{initials}}}}`, "allowed"},
		{"by promise, with an id outside", study, `{study(id:1){candidates(siteId:7){totalCount}}}`, "site 7"},
		{"nesting is no promise", study, `{study(id:1){related{name}}}`, "all study"},
		{"nor the way back", study, `{study(id:1){sites{studies{name}}}}`, "all study"},
		{"but with a word", study, `{study(id:1){sites{study{name}}}}`, "allowed"},
		{"another kind below", study, `{candidates(filter:{studyId:1}){site{name}}}`, "all site"},
		{"child of", study, `{siteInStudy(studyId:1,siteId:9){name}}`, "allowed"},
		{"child of another", study, `{siteInStudy(studyId:2,siteId:9){name}}`, "study 2"},
		{"one site", client(oneSite, actions...), `{site(id:7){name}}`, "allowed"},
		{"one site, its study by promise", client(oneSite, actions...), `{site(id:7){study{name}}}`, "allowed"},
		{"one site, its studies", client(oneSite, actions...), `{site(id:7){studies{name}}}`, "all study"},
		{"leaf pinned by one of two", client(oneSite, actions...), `{candidateTotal(siteId:7)}`, "allowed"},
		{"leaf pinned by none", study, `{candidateTotal}`, "all site"},
		{"leaf pinned by none, kinds all", client(everyone, actions...), `{candidateTotal}`, "allowed"},
		{"leaf with null", study, `{candidateTotal(studyId:null)}`, "all site"},
		{"union needs every member", client(everyone, without(actions, "sites:read")...), `{find(text:"a"){... on Study{name}}}`, "sites:read"},
		{"union pins nothing", study, `{find(text:"a"){... on Study{name}}}`, "all study"},
		{"undeclared id", study, `{node(id:1){id}}`, "all study"},
		{"undeclared id, with all", client(everyone, actions...), `{node(id:1){id ... on Study{name}}}`, "allowed"},
		{"undeclared id on a leaf", client(everyone, actions...), `{lookup(candidateId:1)}`, "unanswered"},
		{"undeclared id inside", client(everyone, actions...), `{study(id:1){document(id:2)}}`, "unanswered"},
		{"id declared to be none", study, `{study(id:1){note(id:2)}}`, "allowed"},
		{"D-65 no answer", client(everyone, actions...), `{forgotten}`, "unanswered"},
		{"D-65 half an answer", client(everyone, actions...), `{halfForgotten}`, "unanswered"},
		{"mutation pinned by its input", study, `mutation{updateStudy(input:{studyId:1,name:"x"}){ok study{name}}}`, "allowed"},
		{"mutation of another", study, `mutation{updateStudy(input:{studyId:2,name:"x"}){ok}}`, "study 2"},
		{"TRI-10 input field with a rule", client(oneStudy, without(actions, "studies:finance")...), `mutation{updateStudy(input:{studyId:1,budget:3}){ok}}`, "studies:finance"},
		{"input field with a rule, not sent", client(oneStudy, without(actions, "studies:finance")...), `mutation{updateStudy(input:{studyId:1}){ok}}`, "allowed"},
		{"mutation of the whole", study, `mutation{createStudy(name:"x"){id}}`, "all study"},
		{"mutation without a word", client(everyone, actions...), `mutation{closeEverything}`, "unanswered"},
		{"mutation of a list", study, `mutation{addCandidates(candidates:[{studyId:1,initials:"a"},{studyId:2,initials:"b"}])}`, "study 2"},
		{"mutation to another", study, `mutation{moveCandidate(candidateId:5,from:1,to:2){id}}`, "study 2"},
		{"mutation from another", study, `mutation{moveCandidate(candidateId:5,from:2,to:1){id}}`, "study 2"},
		{"filter", study, `{candidates(filter:{studyId:1}){initials}}`, "allowed"},
		{"filter pins another kind", client(oneSite, actions...), `{candidates(filter:{siteIds:[7]}){initials}}`, "all study"},
		{"filter pins nothing", study, `{candidates(filter:{status:NEW}){initials}}`, "all site"},
		{"filter that excludes", study, `{candidates(filter:{not:{studyId:1}}){initials}}`, "all site"},
		{"filter with another below", study, `{candidates(filter:{studyId:1,any:[{studyId:2}]}){initials}}`, "study 2"},
		{"filter and one below", study, `{candidates(filter:{studyId:1,any:[{status:NEW}]}){initials}}`, "allowed"},
		{"interface rule on a concrete type", client(everyone, without(actions, "names:read")...), `{referrer(id:1){name}}`, "names:read"},
		{"OR of ANDs, one is enough", client(everyone, actions...), `{report(name:"a")}`, "allowed"},
		{"stacked directives are ANDed", client(everyone, without(actions, "reports:read")...), `{report(name:"a")}`, "reports:read"},
		{"a scope that is not said", policy.Compile(policy.Held{Policies: []policy.Policy{{Actions: actions}}}), `{report(name:"a")}`, "reports"},
		{"enum value as input", client(everyone, without(actions, "studies:secret")...), `mutation{updateStudy(input:{studyId:1,status:SECRET}){ok}}`, "studies:secret"},
		{"enum value not used", client(everyone, without(actions, "studies:secret")...), `mutation{updateStudy(input:{studyId:1,status:OPEN}){ok}}`, "allowed"},
		{"enum value may come back", client(everyone, without(actions, "studies:secret")...), `{study(id:1){status}}`, "studies:secret"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := judge(t, s, tc.rights, tc.query, ""); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
