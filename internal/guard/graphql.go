package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/strictjson"
)

// planBytes is about how much memory the plans of documents seen before may take.
const planBytes = 32 << 20

// The reasons of GraphQL documents and answers, whoever sends them. Those of a client's own
// are the same as elsewhere.
const (
	GraphQLMalformed     = Reason(graphQL + graphql.Malformed)
	GraphQLTooComplex    = Reason(graphQL + graphql.TooComplex)
	GraphQLInvalid       = Reason(graphQL + graphql.Invalid)
	GraphQLNoOperation   = Reason(graphQL + graphql.NoOperation)
	GraphQLNotSupported  = Reason(graphQL + graphql.NotSupported)
	GraphQLIntrospection = Reason(graphQL + graphql.Introspection)
	GraphQLUnanswered    = Reason(graphQL + graphql.Unanswered)
	GraphQLBadVariables  = Reason(graphQL + graphql.BadVariables)
	GraphQLUndeclared    = Reason(graphQL + graphql.Undeclared)
	GraphQLBadAnswer     = Reason(graphQL + graphql.BadAnswer)
	GraphQLOutside       = Reason(graphQL + graphql.Outside)
)

const graphQL = "graphql_"

// Why a request to a GraphQL endpoint is refused, for the log.
var (
	errArray       = errors.New("an array of requests, of which the API takes none")
	errGetMutation = errors.New("a mutation by GET")
	errPersisted   = errors.New("extensions, as persisted queries need them")
	errLength      = errors.New("not as many answers as requests")
	errNoList      = errors.New("the answer to a batch is no array")
)

// Place is where in a GraphQL document something is.
type Place struct {
	Item         int    // of a batch, from one; zero: there is no batch
	Path         string // fields down to the place, as the document names them, joined by dots
	Line, Column int    // in the document that was sent; zero if unknown
	Coordinate   string // of the schema: for logs, activity and explain, not for the client (D-93)
}

// GraphQLCall is a call of a GraphQL endpoint. All but the method is there only if it may
// pass.
type GraphQLCall struct {
	Method string // by which it was sent: POST, or GET where the API takes that
	Body   []byte // what is forwarded, as application/json and by POST: what was judged, and nothing else
	Check  bool   // the answer goes to the client through CheckAnswer, or not at all (D-88)

	plans  []*graphql.Plan
	batch  bool
	rights *policy.Rights
	said   policy.Said
}

func newPlans() *graphql.Cache {
	plans, err := graphql.NewCache(planBytes)
	if err != nil {
		panic(err) // the options are constants
	}
	return plans
}

// speaksGraphQL reports whether the API takes GraphQL there, by that method.
func speaksGraphQL(api *snapshot.API, method, path string) bool {
	g := api.GraphQL // there with its schema, or not at all
	return api.Schema != nil && path == g.Path && (method == http.MethodPost || g.Get && method == http.MethodGet)
}

// nearGraphQL reports whether the path is that of the GraphQL endpoint to some upstream, which
// may not care about case or a last slash: no route leads past the schema's rules.
func nearGraphQL(api *snapshot.API, path string) bool {
	return api.GraphQL != nil && strings.EqualFold(strings.TrimRight(path, "/"), strings.TrimRight(api.GraphQL.Path, "/"))
}

// judgeGraphQL is the end of the call line for a GraphQL endpoint: all of it may pass, or
// nothing of it (TRI-09).
func (c *call) judgeGraphQL() error {
	requests, err := c.readGraphQL()
	if err != nil {
		return err
	}
	for range requests[1:] { // D-81: each counts
		if err := c.spend(); err != nil {
			return err
		}
	}
	c.hold()
	c.GraphQL.rights, c.GraphQL.said = c.rights, c.said
	c.GraphQL.plans = make([]*graphql.Plan, 0, len(requests))
	var refused error
	for i := range requests {
		if err := c.judgeOperation(&requests[i], i+1); err != nil && refused == nil {
			refused = err
		}
		if refused != nil && !c.explains {
			break
		}
	}
	if refused != nil {
		c.GraphQL = &GraphQLCall{Method: c.r.Method}
		return refused
	}
	if c.GraphQL.batch {
		c.GraphQL.Body = append(c.GraphQL.Body, ']')
	}
	c.Path = c.path
	return nil
}

// readGraphQL reads what is asked for, from the body or from the query, never from both
// (D-85).
func (c *call) readGraphQL() ([]graphql.Request, error) {
	if name := upgrades(c.r.Header, false); name != "" {
		return nil, &Refusal{Reason: UpgradeRefused, Missing: name}
	}
	if c.r.Method == http.MethodGet {
		one, err := c.readGet()
		return []graphql.Request{one}, err
	}
	if c.r.URL.RawQuery != "" {
		return nil, &Refusal{Reason: QueryRefused}
	}
	if form, err := bodyType(c.r.Header); err != nil || form { // D-83
		return nil, &Refusal{Reason: BodyType, Err: err}
	}
	body, err := c.readWhole()
	if err != nil {
		return nil, err
	}
	requests, batch, err := c.API.Schema.ReadRequests(body, max(1, c.API.GraphQL.Batching))
	if batch && c.API.GraphQL.Batching == 0 {
		return nil, &Refusal{Reason: BodyMalformed, Err: errArray}
	}
	if c.GraphQL.batch = batch; err == nil {
		return requests, nil
	}
	if r, ok := errors.AsType[*graphql.Refusal](err); ok && r.Reason == graphql.Malformed { // not even a request
		return nil, &Refusal{Reason: BodyMalformed, Err: err}
	}
	return nil, ofEngine(err, 0)
}

// readGet reads a request from the query (D-82): its members, each once at most, and nothing
// else.
func (c *call) readGet() (r graphql.Request, err error) {
	if c.r.ContentLength != 0 {
		return r, &Refusal{Reason: QueryRefused}
	}
	for name, values := range c.query {
		switch {
		case name == "extensions": // D-84
			return r, &Refusal{Reason: GraphQLNotSupported, Err: errPersisted}
		case name != "query" && name != "operationName" && name != "variables":
			return r, &Refusal{Reason: QueryRefused}
		case len(values) != 1:
			return r, &Refusal{Reason: Parameter, Missing: name}
		}
	}
	if r.Query = c.query.Get("query"); r.Query == "" {
		return r, &Refusal{Reason: Parameter, Missing: "query"}
	}
	r.OperationName, r.Variables = c.query.Get("operationName"), json.RawMessage(c.query.Get("variables"))
	return r, nil
}

// judgeOperation holds one request against what the client holds, and adds it to what is
// forwarded.
func (c *call) judgeOperation(r *graphql.Request, item int) error {
	if !c.GraphQL.batch {
		item = 0
	}
	plan, err := c.guard.plans.Plan(c.API.Schema, r.Query, r.OperationName)
	if err != nil {
		return ofEngine(err, item)
	}
	if plan.Mutation() && c.r.Method != http.MethodPost { // D-82
		return &Refusal{Reason: GraphQLNotSupported, Err: errGetMutation}
	}
	need, err := plan.Need(r.Variables)
	if err != nil {
		return ofEngine(err, item)
	}
	if c.explains {
		c.touches = append(c.touches, need.Resources()...)
		for _, d := range need.Missing(c.rights, &c.said) {
			c.lacks = append(c.lacks, ofDecision(&d, item))
		}
	}
	d := need.Decide(c.rights, &c.said)
	if !d.Allowed {
		return ofDecision(&d, item)
	}
	c.GraphQL.add(plan, need.Body(d.Check))
	c.GraphQL.Check = d.Check // of all alike: it hangs on the schema and the rights alone
	return nil
}

func (g *GraphQLCall) add(plan *graphql.Plan, body []byte) {
	if g.plans = append(g.plans, plan); !g.batch {
		g.Body = body
		return
	}
	g.Body = append(append(g.Body, "[,"[min(len(g.plans)-1, 1)]), body...)
}

func ofDecision(d *graphql.Decision, item int) *Refusal {
	return &Refusal{
		Reason: Reason(d.Reason), Missing: d.Missing, Resource: d.Resource, Alternatives: d.Alternatives,
		Place: Place{item, d.Path, d.Line, d.Column, d.Coordinate},
	}
}

func ofEngine(err error, item int) *Refusal {
	r, ok := errors.AsType[*graphql.Refusal](err)
	if !ok {
		return &Refusal{Reason: Unavailable, RetryAfter: retryAfter, Err: err}
	}
	return &Refusal{Reason: Reason(graphQL + r.Reason), Place: Place{item, r.Path, r.Line, r.Column, r.Coordinate}, Err: err}
}

// CheckAnswer reads the upstream's answer and returns what may be passed on: nothing in it
// lies outside of the client's scope (D-88). The error is a *Refusal, of all of it.
func (g *GraphQLCall) CheckAnswer(body []byte) ([]byte, error) {
	if !g.batch {
		return g.checkOne(0, body)
	}
	if err := strictjson.Check(body); err != nil {
		return nil, &Refusal{Reason: GraphQLBadAnswer, Err: err}
	}
	var answers []json.RawMessage
	if err := json.Unmarshal(body, &answers); err != nil {
		return nil, &Refusal{Reason: GraphQLBadAnswer, Err: errNoList}
	}
	if len(answers) != len(g.plans) {
		return nil, &Refusal{Reason: GraphQLBadAnswer, Err: errLength}
	}
	checked := make([][]byte, len(answers))
	for i, a := range answers {
		var err error
		if checked[i], err = g.checkOne(i, a); err != nil {
			return nil, err
		}
	}
	return append(append([]byte{'['}, bytes.Join(checked, []byte{','})...), ']'), nil
}

func (g *GraphQLCall) checkOne(i int, answer []byte) ([]byte, error) {
	checked, err := g.plans[i].CheckResponse(answer, g.rights, &g.said)
	if err != nil {
		item := 0
		if g.batch {
			item = i + 1
		}
		return nil, ofEngine(err, item)
	}
	return checked, nil
}
