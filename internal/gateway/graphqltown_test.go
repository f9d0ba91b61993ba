package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// trials is a schema with something of each kind that may be asked for.
const trials = `
type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @policy(policies: [["studies:read"]])
  studies(first: Int @paging, name: String): [Study!]! @policy(policies: [["studies:read"]]) @checkable
  byIds(ids: [ID!]! @scopedBy(kind: "study")): [Study!]! @policy(policies: [["studies:read"]])
  find(filter: Filter!): [Study!]! @policy(policies: [["studies:read"]])
  node(id: ID! @scopedBy(kind: "study")): Node @policy(policies: [["studies:read"]])
  any(id: ID! @scopedBy(kind: "study")): Hit @policy(policies: [["studies:read"]])
  audit: String @requiresScopes(scopes: [["audit"]]) @unscoped
  me: String @authenticated @unscoped
  forgotten: String
  hidden(id: ID!): String @authenticated
  _service: String @authenticated @unscoped
}
scalar Json
type Mutation {
  keep(id: ID! @scopedBy(kind: "study"), data: Json): Study @policy(policies: [["studies:write"]])
  rename(id: ID! @scopedBy(kind: "study"), name: String! @unscoped): Study @policy(policies: [["studies:write"]])
}
type Subscription { changed: String @authenticated @unscoped }
interface Node { id: ID! }
union Hit = Study | Site
input Filter { study: ID @scopedBy(kind: "study") status: Status @unscoped or: [Filter!] }
enum Status { OPEN SECRET @policy(policies: [["studies:secret"]]) }
type Study implements Node @scoped(kind: "study") @authenticated {
  id: ID! name: String! status: Status sponsor: Study
  budget: Int @policy(policies: [["studies:finance"]])
}
type Site implements Node @scoped(kind: "site") @policy(policies: [["sites:read"]]) { id: ID! name: String! }
`

// graphTown is a town with the API graph at http://api.example.com/v2, and its GraphQL
// endpoint. c1 may read and rename study s1.
type graphTown struct {
	*town
	bearer string
}

func newGraphTown(t testing.TB, edit func(*domain.API)) *graphTown {
	t.Helper()
	n := &graphTown{town: newTown(t)}
	a := domain.API{Name: "graph", Audience: "urn:graph", Issuers: []string{"main"}, Path: "/v2", Upstream: n.api.Upstream, RateLimitHeaders: true,
		GraphQL: &domain.GraphQL{Path: "/graphql/v1", Schema: trials}}
	if edit != nil {
		edit(&a)
	}
	a.Defaults()
	put(n.town, a)
	n.policy("researcher", "studies:read", "studies:write")
	n.policy("treasurer", "studies:finance")
	n.policy("visitor", "sites:read", "studies:secret")
	n.update("c1", func(c *domain.Client) {
		c.Audiences, c.Policies, c.Scopes = append(c.Audiences, "urn:graph"), []string{"researcher"}, oauth.Scope{"read"}
	})
	n.bearer = n.token("c1")
	return n
}

// policy puts a policy, or replaces it; without actions it is removed.
func (n *graphTown) policy(name string, actions ...string) {
	n.t.Helper()
	row := domain.Policy{Name: name, Actions: map[string]string{}}
	for _, a := range actions {
		row.Actions[a] = "to do " + a
	}
	_, err := n.store.Change(context.Background(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		old, err := t.Policies.Get(context.Background(), name)
		switch {
		case len(actions) == 0:
			err = t.Policies.Delete(context.Background(), name, old.Version)
		case err != nil:
			_, err = t.Policies.Put(context.Background(), row, 0)
		default:
			_, err = t.Policies.Put(context.Background(), row, old.Version)
		}
		return []domain.Change{{Kind: row.Kind(), Key: name, Action: "test.change"}}, err
	})
	n.check(err)
}

func (n *graphTown) editAPI(edit func(*domain.API)) {
	n.t.Helper()
	_, err := n.store.Change(context.Background(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		a, err := t.APIs.Get(context.Background(), "graph")
		if err != nil {
			return nil, err
		}
		edit(&a)
		_, err = t.APIs.Put(context.Background(), a, a.Version)
		return []domain.Change{{Kind: a.Kind(), Key: a.Name, Action: "test.change"}}, err
	})
	n.check(err)
}

// call makes a request to the endpoint; headers come in pairs.
func (n *graphTown) call(method, query, body string, header ...string) (*http.Response, string) {
	n.t.Helper()
	r, err := http.NewRequest(method, n.front.URL+"/v2/graphql/v1"+query, strings.NewReader(body))
	n.check(err)
	r.Host = "api.example.com"
	r.Header.Set("Authorization", "Bearer "+n.bearer)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	n.check(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	n.check(err)
	return res, string(text)
}

func (n *graphTown) ask(document string) (*http.Response, string) {
	n.t.Helper()
	return n.call("POST", "", query(document))
}

// query is the body for a document.
func query(document string) string {
	text, _ := json.Marshal(document)
	return `{"query":` + string(text) + `}`
}

// refusal is what a GraphQL client reads of one.
type refusal struct {
	Message    string
	Path       []string
	Locations  []struct{ Line, Column int }
	Extensions struct {
		Code      string
		RequestID string `json:"request_id"`
	}
}

// refused reads an envelope: one error, and no data.
func refused(t testing.TB, res *http.Response, body string) refusal {
	t.Helper()
	var whole map[string]json.RawMessage
	var errs []refusal
	if err := json.Unmarshal([]byte(body), &whole); err != nil || len(whole) != 1 || json.Unmarshal(whole["errors"], &errs) != nil || len(errs) != 1 {
		t.Fatalf("no envelope: %d %s", res.StatusCode, body)
	}
	if h := res.Header; h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("WWW-Authenticate") != "" {
		t.Errorf("answered %v", h)
	}
	if id := res.Header.Get("X-Request-Id"); id == "" || errs[0].Extensions.RequestID != id {
		t.Errorf("request id %q in %s", id, body)
	}
	return errs[0]
}

// graph answers as the API: every request with what the function makes of its body.
func (n *graphTown) graph(answer func(body string) string) {
	n.upstream.answer(func(h *heard) {
		for {
			r, body := h.request()
			if r == nil {
				return
			}
			h.raw(answer(body))
		}
	})
}

func (h *heard) raw(text string) { _, _ = io.WriteString(h.Conn, text) }

// ok is an answer with this JSON, and what headers are given beside it.
func ok(text string, header ...string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + strings.Join(append(header, ""), "\r\n") + "Content-Length: " + itoa(len(text)) + "\r\n\r\n" + text
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

var keyAlias = regexp.MustCompile(`(\w+):id\b`)

// study is the answer to { studies { name } } with the keys that are asked for.
func study(body string, ids ...string) string {
	alias := keyAlias.FindStringSubmatch(body)
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = `{"name":"n` + id + `"`
		if alias != nil {
			list[i] += `,"` + alias[1] + `":"` + id + `"`
		}
		list[i] += "}"
	}
	return `{"data":{"studies":[` + strings.Join(list, ",") + `]}}`
}

func (n *graphTown) holdsAll() {
	n.update("c1", func(c *domain.Client) {
		c.PlatformWide, c.Tenant, c.ResourceScope = true, "", policy.ResourceScope{"study": {All: true}, "site": {All: true}}
	})
	n.bearer = n.token("c1")
}

// holdsAllBut gives the client its study back.
func (n *graphTown) holdsAllBut() {
	n.update("c1", func(c *domain.Client) { c.ResourceScope = policy.ResourceScope{"study": {IDs: []string{"s1"}}} })
}
