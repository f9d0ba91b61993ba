package sample_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/sample"
)

// The tenants of the samples, two of each.
const (
	example  = "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d10"
	second   = "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d11"
	harbour  = "c2d7e8f1-4b3a-4d29-8e60-1f9a0b7c6d30"
	lakeside = "c2d7e8f1-4b3a-4d29-8e60-1f9a0b7c6d31"
	coffee   = "e5f60718-93a4-4bc2-9d1e-2a3b4c5d6e40"
	books    = "e5f60718-93a4-4bc2-9d1e-2a3b4c5d6e41"
	acme     = "1a2b3c4d-5e6f-4708-91a2-b3c4d5e6f750"
	globex   = "8c7b6a59-4838-4271-8605-f4e3d2c1b060"
	umbra    = "8c7b6a59-4838-4271-8605-f4e3d2c1b061"
	platform = ""
	around   = "-" // no header at all
)

const (
	equities = "/v1/teams/65df73340142feec34d7d6ee"
	credit   = "/v1/teams/65df73340142feec34d7d6ef"
	north    = "/v1/teams/71aa00340142feec34d7d600"
)

// call asks one sample as the gateway would for a client of the tenant.
func call(h http.Handler, tenant, request, body string) *httptest.ResponseRecorder {
	method, target, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if tenant != around {
		r.Header["X-Postern-Tenant"] = []string{tenant}
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func handler(t testing.TB, name string) http.Handler {
	t.Helper()
	for _, api := range sample.APIs() {
		if api.Name == name {
			return api.Handler
		}
	}
	t.Fatalf("there is no sample %q", name)
	return nil
}

// step is one call, in order: what one changes the next one sees.
type step struct {
	tenant, request, body string
	status                int
	has, lacks            string // words, separated by spaces
}

func TestSamples(t *testing.T) {
	for name, steps := range map[string][]step{
		"rfc": {
			{example, "GET /reports", "", 200, "rep_001 rep_002 rep_003", "rep_004 rep_005 " + second},
			{second, "GET /reports", "", 200, "rep_004 rep_005", "rep_001"},
			{platform, "GET /reports", "", 200, "rep_001 rep_005", ""},
			{example, "GET /reports/rep_002", "", 200, `"total":51377`, "rep_001"},
			{example, "GET /reports/rep_004", "", 404, "not_found", "Sales"},
			{example, "POST /reports", `{"title":"Mine","period":"2026-Q3","tenant":"` + second + `","id":"rep_001"}`, 201, "rep_101 " + example, second},
			{example, "POST /reports", `{"title":"","period":"2026-Q3"}`, 400, "title", ""},
			{example, "POST /reports", `{"title":"x"}`, 400, "period", ""},
			{example, "GET /reports", "", 200, "rep_101 Mine", ""},
			{second, "DELETE /reports/rep_101", "", 404, "", ""},
			{example, "DELETE /reports/rep_101", "", 204, "", ""},
			{example, "GET /reports/rep_101", "", 404, "", ""},
			{example, "DELETE /reports/rep_101", "", 404, "", ""},
			{around, "GET /reports", "", 403, "no_gateway", "rep"},
			{around, "GET /reports/rep_001", "", 403, "no_gateway", "rep"},
			{around, "POST /reports", `{"title":"x","period":"y"}`, 403, "no_gateway", ""},
			{example, "PATCH /reports", "", 404, "PATCH", ""},
			{example, "GET /", "", 404, "not_found", ""},
		},
		"omnilab": {
			{harbour, "GET /v1/bookings", "", 200, "bk_1001 bk_1002 bk_1003 bk_1004", "bk_2001"},
			{harbour, "GET /v1/bookings?customer=cus_17", "", 200, "bk_1001 bk_1002", "bk_1003 bk_1004 bk_2001"},
			{harbour, "GET /v1/bookings?customer=cus_17&status=cancelled", "", 200, `"bookings":[]`, "bk_"},
			{lakeside, "GET /v1/bookings?customer=cus_17", "", 200, "bk_2001", "bk_1001 bk_2002"},
			{platform, "GET /v1/bookings", "", 200, "bk_1001 bk_2001", ""},
			{harbour, "GET /v1/bookings/bk_1002", "", 200, "bk_1002 confirmed", "bk_1001"},
			{harbour, "GET /v1/bookings/bk_2001", "", 404, "not_found", "hockey"},
			{lakeside, "POST /v1/bookings/bk_1002:cancel", "", 404, "not_found", ""},
			{harbour, "POST /v1/bookings/bk_1002:cancel", "", 200, `"status":"cancelled"`, ""},
			{harbour, "POST /v1/bookings/bk_1002:cancel", "", 200, `"status":"cancelled"`, ""},
			{harbour, "GET /v1/bookings?status=cancelled", "", 200, "bk_1002 bk_1003", "bk_1001"},
			{harbour, "POST /v1/bookings/bk_1001:move", "", 404, "not_found", ""},
			{harbour, "POST /v1/bookings/bk_1001", "", 404, "not_found", ""},
			{harbour, "GET /v1/bookings/bk_1001", "", 200, "confirmed", "cancelled"},
			{around, "GET /v1/bookings", "", 403, "no_gateway", "bk_"},
			{around, "POST /v1/bookings/bk_1001:cancel", "", 403, "no_gateway", "bk_"},
		},
		"vibes": {
			{coffee, "GET /rbm/v1/agents", "", 200, "coffee-orders coffee-offers coffee-jobs", "books-pickup"},
			{platform, "GET /rbm/v1/agents", "", 200, "coffee-orders books-pickup", ""},
			{coffee, "GET /rbm/v1/agents/coffee-orders", "", 200, `"messages_sent":812`, "coffee-offers"},
			{coffee, "GET /rbm/v1/agents/books-pickup", "", 404, "not_found", "Sunny"},
			{coffee, "POST /rbm/v1/agents/coffee-orders/messages", `{"to":"+15550100","text":"Your order is ready."}`, 202, "msg_1 coffee-orders QUEUED", ""},
			{coffee, "GET /rbm/v1/agents/coffee-orders", "", 200, `"messages_sent":813`, ""},
			{books, "POST /rbm/v1/agents/coffee-orders/messages", `{"to":"+15550100","text":"x"}`, 404, "not_found", ""},
			{coffee, "POST /rbm/v1/agents/coffee-jobs/messages", `{"to":"+15550100","text":"x"}`, 409, "review", ""},
			{coffee, "POST /rbm/v1/agents/coffee-orders/messages", `{"to":"+15550100"}`, 400, "text", ""},
			{coffee, "POST /rbm/v1/agents/coffee-orders/messages", `{"to":"+15550100","text":"` + strings.Repeat("x", 1001) + `"}`, 400, "text", ""},
			{around, "GET /rbm/v1/agents", "", 403, "no_gateway", "coffee"},
		},
		"bipsync": {
			{acme, "GET " + equities, "", 200, "equities ana ben", "cleo"},
			{acme, "GET " + equities + "/notes", "", 200, "n-101 n-102 n-103 doubts", "n-201 n-301"},
			{acme, "GET " + north + "/notes", "", 200, "n-301 n-302", "n-101"}, // whose team it is, the gateway knows
			{acme, "GET " + equities + "/notes/n-102", "", 200, `"private":true`, "n-101"},
			{acme, "GET " + equities + "/notes/n-201", "", 404, "not_found", "Covenants"}, // child of the team in the path
			{acme, "POST " + credit + "/notes", `{"title":"New","text":"Said.","id":"n-101","author":"ana"}`, 201, "n-1001 65df73340142feec34d7d6ef api", "ana"},
			{acme, "POST /v1/notes", `{"team":"65df73340142feec34d7d6ef","title":"Next","text":"Said.","private":true}`, 201, "n-1002 65df73340142feec34d7d6ef true", ""},
			{acme, "GET " + credit + "/notes", "", 200, "n-201 n-202 n-1001 n-1002", "n-101\""},
			{acme, "GET " + equities + "/notes", "", 200, "n-101", "n-1001 n-1002"},
			{acme, "POST " + credit + "/notes", `{"team":"71aa00340142feec34d7d600","title":"x","text":"y"}`, 400, "another", ""},
			{acme, "POST /v1/notes", `{"team":"65df73340142feec34d7d6ef","Team":"71aa00340142feec34d7d600","title":"x","text":"y"}`, 400, "lower", ""},
			{acme, "POST /v1/notes", `{"title":"x","text":"y"}`, 404, "team", ""},
			{acme, "POST /v1/notes", `{"team":"65df73340142feec34d7d6ef","title":"x"}`, 400, "text", ""},
			{acme, "GET /v1/teams/nobody/notes", "", 404, "nobody", ""},
			{acme, "GET /v1/teams/nobody", "", 404, "nobody", ""},
		},
		"arbitex": {
			{globex, "GET /api/v1/models", "", 200, "canned-1 canned-2", ""},
			{globex, "GET /api/v1/dlp/rules", "", 200, "dlp_1 dlp_2 dlp_3", "dlp_4"},
			{umbra, "GET /api/v1/dlp/rules", "", 200, "dlp_4", "dlp_1"},
			{platform, "GET /api/v1/dlp/rules", "", 200, "dlp_1 dlp_4", ""},
			{around, "GET /api/v1/dlp/rules", "", 403, "no_gateway", "dlp_"},
			{globex, "GET /api/admin/organization", "", 200, "Globex " + globex, "Umbra"},
			{platform, "GET /api/admin/organization", "", 200, "platform", "Globex"},
			{globex, "PUT /api/admin/organization", `{"name":"Globex 2","default_model":"canned-2","retention_days":9,"tenant_id":"` + umbra + `"}`, 200, globex, umbra},
			{globex, "GET /api/admin/organization", "", 200, `2","default_model":"canned-2" "retention_days":9`, ""},
			{umbra, "GET /api/admin/organization", "", 200, "Umbra canned-2 365", "Globex"},
			{umbra, "PUT /api/admin/organization", `{"name":"x"}`, 400, "default_model", ""},
			{example, "GET /api/admin/organization", "", 404, "not_found", ""},
			{example, "PUT /api/admin/organization", `{"name":"x","default_model":"y"}`, 404, "not_found", ""},
			{around, "GET /api/admin/organization", "", 403, "no_gateway", ""},
			{globex, "POST /api/v1/chat/completions", `{"model":"canned-1","temperature":0,"messages":[{"role":"user","content":"one two"}]}`, 200, "chat.completion canned-1 assistant", "chunk"},
			{globex, "POST /api/v1/chat/completions", `{"model":"canned-1","messages":[]}`, 400, "messages", ""},
			{globex, "POST /api/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}]}`, 400, "model", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := handler(t, name)
			for _, s := range steps {
				checkStep(t, s, call(h, s.tenant, s.request, s.body))
			}
		})
	}
}

func checkStep(t *testing.T, s step, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	if w.Code != s.status {
		t.Errorf("%s for %q: %d, want %d\n%s", s.request, s.tenant, w.Code, s.status, body)
	}
	if isJSON := json.Valid(w.Body.Bytes()) && w.Header().Get("Content-Type") == "application/json"; isJSON == (s.status == 204) {
		t.Errorf("%s: %q is JSON: %v", s.request, body, isJSON)
	}
	if failed := strings.Contains(body, `"error":{"code":`); failed != (s.status >= 400) {
		t.Errorf("%s: %d with %s", s.request, w.Code, body)
	}
	for word := range strings.FieldsSeq(s.has) {
		if !strings.Contains(body, word) {
			t.Errorf("%s for %q lacks %s\n%s", s.request, s.tenant, word, body)
		}
	}
	for word := range strings.FieldsSeq(s.lacks) {
		if strings.Contains(body, word) {
			t.Errorf("%s for %q has %s\n%s", s.request, s.tenant, word, body)
		}
	}
}

func TestBodies(t *testing.T) {
	h := handler(t, "arbitex")
	ask := func(contentType, body string) int {
		r := httptest.NewRequest("POST", "/api/v1/chat/completions", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	const good = `{"model":"m","messages":[{"role":"user","content":"x"}]}`
	for _, tc := range []struct {
		name, contentType, body string
		want                    int
	}{
		{"good", "application/json", good, 200},
		{"parameters of the type", "Application/JSON; charset=utf-8", good, 200},
		{"another type", "text/plain", good, 415},
		{"no type", "", good, 415},
		{"no JSON", "application/json", "{", 400},
		{"two values", "application/json", good + good, 400},
		{"an array", "application/json", "[]", 400},
		{"wrong kind of value", "application/json", `{"model":1}`, 400},
		{"long s for s", "application/json", `{"model":"m","messageſ":[{"role":"user","content":"x"}]}`, 400},
		{"as large as may be", "application/json", good + strings.Repeat(" ", 16<<10-len(good)), 200},
		{"larger", "application/json", good + strings.Repeat(" ", 16<<10-len(good)+1), 413},
	} {
		if got := ask(tc.contentType, tc.body); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

// The stream says word by word what the plain answer says at once.
func TestStream(t *testing.T) {
	server := httptest.NewServer(handler(t, "arbitex"))
	defer server.Close()
	ask := func(stream string) (contentType, body string) {
		r, err := http.Post(server.URL+"/api/v1/chat/completions", "application/json", //nolint:noctx // of this process
			strings.NewReader(`{"model":"canned-1","messages":[{"role":"user","content":"say it"}],"stream":`+stream+`}`))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		data, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("%d, %v", r.StatusCode, err)
		}
		return r.Header.Get("Content-Type"), string(data)
	}
	type message struct{ Content string }
	var answer struct {
		Choices []struct{ Message, Delta message }
	}
	_, plain := ask("false")
	if err := json.Unmarshal([]byte(plain), &answer); err != nil {
		t.Fatal(err)
	}
	want := answer.Choices[0].Message.Content
	contentType, stream := ask("true")
	events := strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n")
	last := len(events) - 1
	if contentType != "text/event-stream" || events[last] != "data: [DONE]" || last < 5 {
		t.Fatalf("%s\n%s", contentType, stream)
	}
	var got strings.Builder
	for _, e := range events[:last] {
		if err := json.Unmarshal([]byte(strings.TrimPrefix(e, "data: ")), &answer); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		got.WriteString(answer.Choices[0].Delta.Content)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" || want == "" {
		t.Errorf("-plain +stream\n%s", diff)
	}
}

// What callers can make a sample keep is bounded.
func TestFull(t *testing.T) {
	for name, s := range map[string]step{
		"rfc":     {tenant: example, request: "POST /reports", body: `{"title":"x","period":"y"}`},
		"bipsync": {tenant: acme, request: "POST " + credit + "/notes", body: `{"title":"x","text":"y"}`},
	} {
		h := handler(t, name)
		for i := range 1001 {
			if got := call(h, s.tenant, s.request, s.body).Code; (got == 201) != (i < 1000) || i == 1000 && got != 507 {
				t.Fatalf("%s: number %d is answered %d", name, i+1, got)
			}
		}
	}
}

// Many at once: nothing is lost, and nobody's race (go test -race).
func TestManyAtOnce(t *testing.T) {
	h := handler(t, "vibes")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				call(h, coffee, "POST /rbm/v1/agents/coffee-orders/messages", `{"to":"+15550100","text":"x"}`)
				call(h, coffee, "GET /rbm/v1/agents", "")
			}
		})
	}
	for name, s := range map[string][]step{
		"rfc":     {{tenant: example, request: "POST /reports", body: `{"title":"x","period":"y"}`}, {tenant: example, request: "GET /reports"}},
		"omnilab": {{tenant: harbour, request: "POST /v1/bookings/bk_1001:cancel"}, {tenant: harbour, request: "GET /v1/bookings"}},
		"bipsync": {{tenant: acme, request: "POST " + credit + "/notes", body: `{"title":"x","text":"y"}`}, {tenant: acme, request: "GET " + credit + "/notes"}},
		"arbitex": {{tenant: globex, request: "PUT /api/admin/organization", body: `{"name":"x","default_model":"y"}`}, {tenant: globex, request: "GET /api/admin/organization"}},
	} {
		h := handler(t, name)
		for _, one := range s {
			for range 2 {
				wg.Go(func() {
					for range 50 {
						call(h, one.tenant, one.request, one.body)
					}
				})
			}
		}
	}
	wg.Wait()
	if body := call(h, coffee, "GET /rbm/v1/agents/coffee-orders", "").Body.String(); !strings.Contains(body, `"messages_sent":1212`) {
		t.Errorf("400 messages were sent: %s", body)
	}
}
