package graphql_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// What the differential proof found, as small as it gets.
const found = `
type Query @authenticated {
  study(id: ID! @scopedBy(kind: "study")): Study
  atSite(site: ID @scopedBy(kind: "site")): Study @unscoped
  looked: Looked @checkable
  person(study: ID! @scopedBy(kind: "study"), n: ID! @childOf(arg: "study")): Person
  ofStudy(id: ID! @scopedBy(kind: "study")): Page
  page(site: ID @scopedBy(kind: "site")): Page @unscoped
  report(site: ID = "2" @scopedBy(kind: "site"), xId: ID): Int @unscoped @policy(policies: [["read", "list"]])
}
type Looked @authenticated {
  atSite(site: ID @scopedBy(kind: "site"), first: Int @paging, pages: [Paged] @paging): Study @unscoped
  atOne(site: ID = "1" @scopedBy(kind: "site"), first: Int @paging @policy(policies: [["read"]])): Study @unscoped
  atNull(site: ID = null @scopedBy(kind: "site")): Study @unscoped
  any(site: ID @scopedBy(kind: "site")): Looked @unscoped
}
input Paged { site: ID @scopedBy(kind: "site") }
type Page @authenticated { total: Int studies: [Study] other(xId: ID): Study lies(xId: ID): Study @unscoped }
type Study @scoped(kind: "study") @authenticated { id: ID! people(siteId: ID @scopedBy(kind: "site")): [Person] @unscoped  team: Team @unscoped }
type Team @authenticated { people(siteId: ID @scopedBy(kind: "site")): [Person]  teamOf(siteId: ID! @scopedBy(kind: "site")): Team }
type Person @scoped(kind: "site", by: "siteId") @authenticated { siteId: ID! }`

// @unscoped at a root promises nothing unless its arguments carry ids: who holds all
// sites holds no study by that. D-87
func TestWordWithoutIDs(t *testing.T) {
	s := loadText(t, found, nil, graphql.Options{})
	sites := client(policy.ResourceScope{"site": {All: true}})
	for query, want := range map[string]string{
		`{atSite(site:1){__typename}}`:      "allowed",
		`{atSite{__typename}}`:              "all study",
		`{atSite(site:null){__typename}}`:   "all study",
		`{page(site:1){studies{id} total}}`: "allowed",
		`{page{studies{id}}}`:               "all study",
		`{page{total}}`:                     "all study",
	} {
		if got := judge(t, s, sites, query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// What an undeclared argument may choose lies nowhere, whatever surrounds it. D-87
func TestUndeclaredInContainer(t *testing.T) {
	s := loadText(t, found, nil, graphql.Options{})
	for query, want := range map[string]string{
		`{ofStudy(id:1){studies{id}}}`: "allowed",
		`{ofStudy(id:1){other{id}}}`:   "all study",
		`{ofStudy(id:1){lies{id}}}`:    "all study",
	} {
		if got := judge(t, s, client(oneStudy), query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// A promise of the object around covers kinds that an argument could have named. D-88
func TestPromiseBesideOptionalArgument(t *testing.T) {
	s := loadText(t, found, nil, graphql.Options{CheckResponses: true})
	study := client(policy.ResourceScope{"study": {IDs: []string{"1"}}})
	for _, query := range []string{`{study(id:1){people{__typename}}}`, `query($s:ID){study(id:1){people(siteId:$s){__typename}}}`} {
		if got := judge(t, s, study, query, ""); got != "allowed" {
			t.Errorf("%s: %s", query, got)
		}
		plan, p := checked(t, s, query)
		answer := strings.ReplaceAll(`{"data":{"study":{"PStudy_0":"1","people":[{"PPerson_0":"9","__typename":"Person"}]}}}`, `"P`, `"`+p)
		if _, err := plan.CheckResponse([]byte(answer), study, said); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	plan, p := checked(t, s, `{person(study:1,n:9){__typename}}`) // nor of what a child is named
	if _, err := plan.CheckResponse([]byte(`{"data":{"person":{"`+p+`Person_0":"9","__typename":"Person"}}}`), study, said); err != nil {
		t.Error(err)
	}
	// A field of what lies in the object needs no word for that; one step further it would.
	both := client(policy.ResourceScope{"study": {IDs: []string{"1"}}, "site": {IDs: []string{"2"}}})
	for query, want := range map[string]string{
		`{study(id:1){team{people(siteId:2){__typename}}}}`:                   "",
		`{study(id:1){team{people:teamOf(siteId:2){people{__typename}}}}}`:    "all site",
		`{study(id:1){team{teamOf(siteId:2){people(siteId:2){__typename}}}}}`: "outside",
	} {
		if got := judge(t, s, both, query, ""); got != "allowed" {
			if got != want {
				t.Errorf("%s: got %s, want %s", query, got, want)
			}
			continue
		}
		plan, p := checked(t, s, query)
		people := `"people":[{"` + p + `Person_0":"9","__typename":"Person"}]`
		if strings.Contains(query, "teamOf") {
			people = `"teamOf":{` + people + `}`
		}
		got := ""
		if _, err := plan.CheckResponse([]byte(`{"data":{"study":{"`+p+`Study_0":"1","team":{`+people+`}}}}`), both, said); err != nil {
			got = reason(err)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

// A word promises nothing of what came back where no ids were sent: it is looked at, even
// if all of what could have been named is held. D-88
func TestCheckedWordWithoutIDs(t *testing.T) {
	s := loadText(t, found, nil, graphql.Options{CheckResponses: true})
	rights := client(policy.ResourceScope{"site": {All: true}, "study": {IDs: []string{"1"}}}, "read")
	for query, want := range map[string]string{
		`{b:atSite{id}}`:                      "outside",
		`{b:atSite(first:1){id}}`:             "outside",
		`{b:atNull{id}}`:                      "outside",
		`{b:any{a:atSite{id}}}`:               "outside",
		`{b:atOne{id}}`:                       "",
		`{b:atSite(site:1){id}}`:              "",
		`{b:atOne(first:$n){id}}`:             "", // it names nothing
		`{b:atSite(pages:[{site:""}]){id}}`:   "bad_variables",
		`{b:atSite(pages:[{site:1}]){id}}`:    "",
		`{b:atSite(pages:[{site:1},$p]){id}}`: "outside",   // nobody knows yet what it holds
		`{b:atOne(site:null){id}}`:            "all study", // an argument that was sent: nothing is looked at instead
	} {
		query = "{looked" + query + "}"
		for name, typ := range map[string]string{"$p": "Paged", "$n": "Int"} {
			if strings.Contains(query, name) {
				query = "query(" + name + ":" + typ + ")" + query
			}
		}
		if got := judge(t, s, rights, query, `{"p":{}}`); got != "allowed" {
			if got != want {
				t.Errorf("%s: got %s, want %s", query, got, want)
			}
			continue
		}
		plan, p := checked(t, s, query)
		for id, want := range map[string]string{"1": "", "9": want} {
			got := ""
			if _, err := plan.CheckResponse([]byte(answered(query, p, id)), rights, said); err != nil {
				got = reason(err)
			}
			if got != want {
				t.Errorf("%s: got %q of study %s, want %q", query, got, id, want)
			}
		}
	}
}

func answered(query, prefix, id string) string {
	study := `{"` + prefix + `Study_0":"` + id + `","id":"` + id + `"}`
	if strings.Contains(query, "any") {
		study = `{"a":` + study + `}`
	}
	return `{"data":{"looked":{"b":` + study + `}}}`
}

// What is missing is all that has to be granted.
func TestMissingIsAll(t *testing.T) {
	s := loadText(t, found, nil, graphql.Options{})
	plan, err := s.Plan(`{report}`, "")
	if err != nil {
		t.Fatal(err)
	}
	need, err := plan.Need(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range need.Missing(client(nil), said) {
		got = append(got, strings.TrimSpace(d.Missing+" "+d.Resource.Kind+d.Resource.ID))
	}
	if want := "read, list, site2, site"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
