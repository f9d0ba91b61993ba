package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// Every refusal is a problem with a type of its own, and carries the id of the request.
func TestProblemTypes(t *testing.T) {
	_, socket := start(t)
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		kind               string
	}{
		"no such path":              {"GET", "/nothing", "", nil, 404, "not-found"},
		"no redirect":               {"GET", "/clients/", "", nil, 404, "not-found"},
		"no such method":            {"DELETE", "/clients", "", nil, 405, "method-not-allowed"},
		"options (D-95: no CORS)":   {"OPTIONS", "/clients", "", []string{"Origin", "https://evil.example"}, 405, "method-not-allowed"},
		"D-107 twice":               {"GET", "/clients?limit=1&limit=2", "", nil, 400, "malformed"},
		"D-107 not well-formed":     {"GET", "/clients?limit=%zz", "", nil, 400, "malformed"},
		"D-107 unknown":             {"GET", "/clients?sort=name;drop", "", nil, 400, "malformed"},
		"D-107 unknown parameter":   {"GET", "/clients?sort=name", "", nil, 422, "invalid"},
		"D-107 too long":            {"GET", "/clients?issuer=" + strings.Repeat("x", 65), "", nil, 422, "invalid"},
		"D-107 empty":               {"GET", "/clients?tenant=", "", nil, 422, "invalid"},
		"D-107 empty enumeration":   {"GET", "/audit/events?outcome=", "", nil, 422, "invalid"},
		"D-107 empty limit":         {"GET", "/clients?limit", "", nil, 422, "invalid"},
		"content that is not read":  {"POST", "/issuers/main/clients/x/disable", `{"kill":true}`, []string{"Content-Type", isJSON}, 400, "malformed"},
		"D-107 a bad cursor":        {"GET", "/clients?cursor=bWFpbg", "", nil, 400, "malformed"},
		"D-95 a form":               {"POST", "/clients", "name=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"},
		"D-95 plain text":           {"POST", "/clients", `{"name":"x"}`, []string{"Content-Type", "text/plain"}, 415, "unsupported-media-type"},
		"another charset":           {"POST", "/clients", `{}`, []string{"Content-Type", "application/json; charset=utf-16"}, 415, "unsupported-media-type"},
		"null":                      {"POST", "/clients", `{"name":null}`, []string{"Content-Type", isJSON}, 422, "invalid"},
		"no object":                 {"GET", "/tenants/none", "", nil, 404, "not-found"},
		"content with a GET":        {"GET", "/tenants", `{}`, []string{"Content-Type", isJSON}, 400, "malformed"},
		"an unknown condition":      {"PUT", "/tiers/gold", `{"per_minute":1}`, []string{"Content-Type", isJSON, "If-None-Match", "*"}, 400, "malformed"},
		"If-Match with a POST":      {"POST", "/clients", `{}`, []string{"Content-Type", isJSON, "If-Match", `"1"`}, 400, "malformed"},
		"an old version":            {"DELETE", "/tenants/" + tenantID, "", []string{"If-Match", `"7"`}, 412, "precondition-failed"},
		"a tag of somebody else's":  {"DELETE", "/tenants/" + tenantID, "", []string{"If-Match", `"abc"`}, 412, "precondition-failed"},
		"a weak tag never matches":  {"DELETE", "/tenants/" + tenantID, "", []string{"If-Match", `W/"1"`}, 412, "precondition-failed"},
		"no tag at all":             {"DELETE", "/tenants/" + tenantID, "", []string{"If-Match", `1`}, 400, "malformed"},
		"put of what must be there": {"PUT", "/tiers/gold", `{"per_minute":1}`, []string{"Content-Type", isJSON, "If-Match", "*"}, 412, "precondition-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, answer := raw(t, socket, c.method, c.path, c.body, c.header...)
			var p struct {
				Type, Title, Instance string
				Status                int
			}
			if err := json.Unmarshal([]byte(answer), &p); err != nil || status != c.status || p.Status != status || p.Type != "urn:postern:problem:"+c.kind || p.Title == "" {
				t.Errorf("%d %s, %v", status, answer, err)
			}
			if id := header.Get("X-Request-Id"); id == "" || p.Instance != "urn:uuid:"+id {
				t.Errorf("%q, instance %q", id, p.Instance)
			}
			if header.Get("Content-Type") != "application/problem+json" || header.Get("Cache-Control") != "no-store" || header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%v", header)
			}
			if allow := header.Get("Allow"); (allow != "") != (status == 405) {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

// Over the network nobody is let in without a credential, however the request pretends to
// come from the socket.
func TestTheNetworkIsNotTheSocket(t *testing.T) {
	reg, _ := start(t)
	h := admin.New(admin.Config{Registry: reg, Audit: admin.Audit{Store: reg.Store}, Log: discard()})
	for _, path := range []string{"/whoami", "/clients", "/audit/events"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/admin"+path, nil))
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// A cursor is of its list with its parameters, and the Link leads to the next page.
func TestCursorsBelongToTheirList(t *testing.T) {
	reg, socket := start(t)
	for _, name := range []string{"b", "c", "d"} {
		if _, _, err := reg.PutTier(t.Context(), domain.System, domain.Tier{Name: name, PerMinute: 1}, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, header, answer := raw(t, socket, http.MethodGet, "/tiers?limit=2", "")
	var page struct{ Next string }
	if err := json.Unmarshal([]byte(answer), &page); err != nil || page.Next == "" {
		t.Fatalf("%s %v", answer, err)
	}
	link, rel, _ := strings.Cut(strings.TrimPrefix(header.Get("Link"), "<"), ">")
	if rel != `; rel="next"` {
		t.Fatalf("Link: %q", header.Get("Link"))
	}
	if status, _, answer := raw(t, socket, http.MethodGet, strings.TrimPrefix(link, "/api/admin"), ""); status != http.StatusOK || !strings.Contains(answer, `"name":"d"`) || strings.Contains(answer, `"name":"b"`) {
		t.Errorf("%d %s", status, answer)
	}
	for _, path := range []string{"/policies?cursor=" + page.Next, "/tiers?cursor=x" + page.Next, "/tiers?cursor=" + page.Next[:8]} {
		if status, _, answer := raw(t, socket, http.MethodGet, path, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// The document and the page that shows it are there for everybody, whole, and run nothing
// (D-96, D-97).
func TestDocument(t *testing.T) {
	_, socket := start(t)
	status, _, answer := raw(t, socket, http.MethodGet, "/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal([]byte(answer), &doc); err != nil || status != http.StatusOK || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %v", status, err)
	}
	_, header, page := raw(t, socket, http.MethodGet, "/docs", "")
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if !strings.Contains(page, `id="`+op.OperationID+`"`) {
				t.Errorf("%s %s is not on the page", method, path)
			}
			for _, status := range []string{"400", "401", "403", "422", "429", "500", "503"} {
				if op.Responses[status] == nil {
					t.Errorf("%s %s does not document %s", method, path, status)
				}
			}
		}
	}
	policy := header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, bad := range []string{"<script", "style=", "onclick", "https://unpkg", "//cdn", `src="`} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
	if status, header, _ := raw(t, socket, http.MethodGet, "/docs.css", ""); status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Errorf("%d %v", status, header)
	}
}

// An Idempotency-Key: once, and the answer again without its secret (COM-05, D-104).
func TestIdempotencyKey(t *testing.T) {
	reg, socket := start(t)
	body := `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`
	post := func(key, body string) (int, http.Header, map[string]any) {
		status, header, answer := raw(t, socket, http.MethodPost, "/clients", body, "Content-Type", isJSON, "Idempotency-Key", key)
		var members map[string]any
		if err := json.Unmarshal([]byte(answer), &members); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		return status, header, members
	}
	status, header, first := post("k1", body)
	if status != http.StatusCreated || first["client_secret"] == nil || header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %v", status, first)
	}
	status, again, second := post(`"k1"`, body) // RFC 9651: the same string
	if status != http.StatusCreated || again.Get("Idempotency-Replayed") != "true" || again.Get("ETag") != header.Get("ETag") || again.Get("Location") != header.Get("Location") {
		t.Errorf("%d %v", status, again)
	}
	if second["client_secret"] != nil || second["secret_shown"] != true || second["id"] != first["id"] {
		t.Errorf("%v", second)
	}
	if status, _, p := post("k1", strings.Replace(body, `"x"`, `"y"`, 1)); status != http.StatusUnprocessableEntity || p["type"] != "urn:postern:problem:idempotency-key-reused" {
		t.Errorf("other parameters: %d %v", status, p)
	}
	for _, bad := range []string{`"open`, strings.Repeat("k", 256), "a b", `a"b`} {
		if status, _, p := post(bad, body); status != http.StatusBadRequest {
			t.Errorf("%q: %d %v", bad, status, p)
		}
	}
	list, err := reg.ListClients(t.Context(), "main", "", domain.Page{})
	if err != nil || len(list) != 1 {
		t.Errorf("%d clients, %v", len(list), err)
	}
	if status, _, other := post("k2", body); status != http.StatusCreated || other["id"] == first["id"] {
		t.Errorf("another key: %d %v", status, other)
	}
}

// While the first request runs the second is told to wait; what failed here is tried anew.
func TestIdempotencyKeyWhileItRuns(t *testing.T) {
	reg, socket := start(t)
	records := reg.Store.(domain.Records)
	body := `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`
	stuck := &holding{Records: records, held: make(chan struct{}), let: make(chan struct{})}
	h := admin.New(admin.Config{Registry: reg, Records: stuck, Log: discard()})
	socket += "3"
	server := &http.Server{ReadHeaderTimeout: time.Second}
	admin.Serve(server, h)
	l, err := admin.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	first := make(chan int)
	go func() {
		status, _, _ := raw(t, socket, http.MethodPost, "/clients", body, "Content-Type", isJSON, "Idempotency-Key", "k")
		first <- status
	}()
	<-stuck.held // the client is made, its answer not yet put away
	status, header, answer := raw(t, socket, http.MethodPost, "/clients", body, "Content-Type", isJSON, "Idempotency-Key", "k")
	if status != http.StatusConflict || header.Get("Retry-After") == "" || !strings.Contains(answer, "problem:running") {
		t.Errorf("%d %s", status, answer)
	}
	close(stuck.let)
	if status := <-first; status != http.StatusCreated {
		t.Errorf("the first: %d", status)
	}
	if status, header, _ := raw(t, socket, http.MethodPost, "/clients", body, "Content-Type", isJSON, "Idempotency-Key", "k"); status != http.StatusCreated || header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("then: %d %v", status, header)
	}
}
