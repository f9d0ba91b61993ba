package main

import (
	"encoding/json"
	"fmt"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/domain"
)

// The same API in GraphQL, below both paths; below the second one answers are looked into.
const (
	checkedPath = "/checked"
	graphPath   = "/graphql"
)

// studySchema asks on both axes what the routes ask.
const studySchema = `
type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @requiresScopes(scopes: [["read"]])
}
type Study @scoped(kind: "study") @policy(policies: [["referrers:list"]]) {
  id: ID!
  name: String!
  status: String!
  phase: Int
  opened: String
  sponsor: Sponsor!
  sites(first: Int @paging): [Site!]! @unscoped
  referrers(status: Status, first: Int @paging): [Referrer!]! @unscoped @policy(policies: [["referrers:list", "referrers:add"]])
  candidates(first: Int @paging): [Candidate!]! @unscoped
}
type Sponsor @authenticated @unscoped { id: ID! name: String! country: String }
type Site @scoped(kind: "study", by: "studyId") @policy(policies: [["referrers:list"]]) {
  id: ID! studyId: ID! name: String! city: String country: String capacity: Int
}
type Referrer @scoped(kind: "study", by: "studyId") @policy(policies: [["referrers:list"]]) {
  id: ID! studyId: ID! name: String! status: Status!
}
type Candidate @scoped(kind: "study", by: "studyId") @policy(policies: [["referrers:list"]]) {
  id: ID! studyId: ID! initials: String! status: String!
}
enum Status { INVITED ACTIVE }
`

// overview has 30 fields once its fragment is expanded.
const overview = `query Overview($study: ID!, $first: Int) {
  study(id: $study) {
    id
    name
    status
    phase
    opened
    sponsor {
      id
      name
      country
    }
    sites(first: $first) {
      id
      studyId
      name
      city
      country
      capacity
    }
    referrers(first: $first) {
      ...Person
    }
    active: referrers(status: ACTIVE, first: 10) {
      ...Person
    }
    candidates(first: $first) {
      initials
      status
    }
  }
}

fragment Person on Referrer {
  id
  studyId
  name
  status
}
`

func studyGraph(r domain.Responses) *domain.GraphQL {
	return &domain.GraphQL{Path: graphPath, Schema: studySchema, Responses: r}
}

// questions asks for the overview of each study.
func questions() ([]fixture.Question, error) {
	var answers fixture.Answers
	list := make([]fixture.Question, 0, tenants*studiesEach)
	for i := range cap(list) {
		body, err := json.Marshal(struct {
			Query         string         `json:"query"`
			OperationName string         `json:"operationName"`
			Variables     map[string]any `json:"variables"`
		}{overview, "Overview", map[string]any{"study": study(i/studiesEach, i), "first": 3}})
		if err != nil {
			return nil, err
		}
		answer, err := answers.To(body)
		if err != nil {
			return nil, err
		}
		list = append(list, fixture.Question{Body: string(body), Answer: answer})
	}
	return list, nil
}

// posing are calls with the tokens of others, each to the path given, or to its own where that
// is empty, with the question about the study that its own names. Of the tokens that were never
// sent they have the nth part of size.
func posing(all *fixture.Calls, list []fixture.Question, path string, nth, size int) (fixture.Calls, error) {
	if len(all.Fresh) < (nth+1)*size {
		return fixture.Calls{}, fmt.Errorf("%d tokens that were never sent, %d are needed", len(all.Fresh), (nth+1)*size)
	}
	of := map[string]int{}
	for t := range tenants {
		for n := range studiesEach {
			of[callPath(t, n)] = t*studiesEach + n
		}
	}
	turn := func(calls []fixture.Call) []fixture.Call {
		turned := make([]fixture.Call, len(calls))
		for i, c := range calls {
			turned[i] = fixture.Call{Token: c.Token, Path: c.Path, Question: of[c.Path]}
			if path != "" {
				turned[i].Path = path
			}
		}
		return turned
	}
	return fixture.Calls{Known: turn(all.Known), Fresh: turn(all.Fresh[nth*size : (nth+1)*size]), Questions: list}, nil
}
