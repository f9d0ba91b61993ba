package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// operation is what all operations have in common. It lists every answer that the frame,
// which stands before all of them, can give.
func operation(id, method, path, summary string) huma.Operation {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	tag := segments[0]
	if tag == "issuers" && len(segments) > 2 { // what lies within an issuer
		tag = segments[2]
	}
	op := huma.Operation{
		OperationID: id, Method: method, Path: prefix + path, Summary: summary, Tags: []string{tag}, MaxBodyBytes: maxBody + 1, BodyReadTimeout: readTimeout,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}
	if strings.Contains(path, "{") || method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
	switch method {
	case http.MethodPost:
		op.Errors = append(op.Errors, http.StatusRequestTimeout, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	case http.MethodPut, http.MethodPatch:
		op.Errors = append(op.Errors, http.StatusRequestTimeout, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	case http.MethodDelete:
		op.Errors = append(op.Errors, http.StatusConflict, http.StatusPreconditionFailed)
	}
	return op
}

// creations are the operations that take an Idempotency-Key: those that make something, each
// with what its answer shows once.
func creations() []creation {
	return []creation{
		{"create-client", []string{"client_secret"}}, {"import-client", nil}, {"rotate-client", []string{"client_secret"}},
		{"start-rotation", []string{"client_secret"}}, {"rotate-key", nil}, {"import-key", nil}, {"apply", []string{"secrets"}},
		{"create-person", []string{"link"}}, {"invite-person", []string{"link"}}, {"recover", []string{"link"}}, {"create-api-key", []string{"key"}},
	}
}

// describe completes the document of the operations, which must all be there by now, and
// serves it.
func (a *api) describe(h huma.API) {
	doc := h.OpenAPI()
	doc.Info.Description = introduction
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "An API key (`pak_…`), or an access token of the management issuer with one of the scopes `admin:platform`, `admin:integrations`, `admin:secrets`, `admin:audit`."},
		"session": {Type: "apiKey", In: "cookie", Name: "__Host-postern", Description: "The session of a person who signed in (begin-session); over plain HTTP on loopback the cookie is `postern`. What changes something must come from a page of this server."},
	}
	doc.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	describeProblems(doc.Components.Schemas.Map())
	describeApplied(doc.Components.Schemas.Map()["Applied"])
	examples := requestExamples()
	for path, item := range doc.Paths {
		for method, op := range methodsOf(item) {
			a.describeOperation(patternOf(method, path), op)
			if text, ok := examples[op.OperationID]; ok && op.RequestBody != nil {
				op.RequestBody.Content["application/json"].Example = json.RawMessage(text)
			}
		}
	}
	var err error
	if a.document, err = json.Marshal(doc); err != nil {
		panic(err) // what the code says of itself: a test serves it
	}
	a.page = renderDocs(doc)
	a.serve("/openapi.json", "application/openapi+json", func() []byte { return a.document })
	a.serve("/docs", "text/html; charset=utf-8", func() []byte { return a.page })
	a.serve("/docs.css", "text/css; charset=utf-8", func() []byte { return docsStyle })
}

// serve adds a page that anybody may read who reaches this listener.
func (a *api) serve(path, media string, content func() []byte) {
	pattern := patternOf(http.MethodGet, prefix+path)
	a.open[pattern] = true
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = w.Write(content()) // whoever asked is gone
	})
}

// methodsOf are the operations of a path.
func methodsOf(item *huma.PathItem) map[string]*huma.Operation {
	list := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}
	for method, op := range list {
		if op == nil {
			delete(list, method)
		}
	}
	return list
}

// describeOperation adds the headers, and notes what the frame must know of the operation.
func (a *api) describeOperation(pattern string, op *huma.Operation) {
	describeVersions(op)
	for status, response := range op.Responses {
		describeHeaders(status, response)
	}
	op.Responses[strconv.Itoa(http.StatusRequestHeaderFieldsTooLarge)] = &huma.Response{ // of net/http, before we see it
		Description: "The headers or the query string are too long", Content: map[string]*huma.MediaType{"text/plain": {Schema: textSchema()}},
	}
	if slices.ContainsFunc(op.Security, func(s map[string][]string) bool { return len(s) == 0 }) {
		a.open[pattern] = true
	}
	a.bare[pattern] = op.RequestBody == nil
	for _, c := range creations() {
		if c.id == op.OperationID {
			a.creating[pattern] = c
			describeOnce(op)
		}
	}
}

func textSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

// describeHeaders adds the headers that answers of a status have, whatever the operation.
func describeHeaders(status string, response *huma.Response) {
	if response.Headers == nil {
		response.Headers = map[string]*huma.Param{}
	}
	add := func(name, description string, always bool) {
		response.Headers[name] = &huma.Param{Description: description, Schema: textSchema(), Required: always}
	}
	add("X-Request-Id", "Of this request; the log and the audit trail have it.", true)
	switch status {
	case strconv.Itoa(http.StatusUnauthorized):
		add("WWW-Authenticate", "", true)
	case strconv.Itoa(http.StatusBadRequest), strconv.Itoa(http.StatusForbidden):
		add("WWW-Authenticate", "Where the request came with Bearer tokens, and it is these that were wrong or not enough (RFC 6750 §3.1).", false)
	case strconv.Itoa(http.StatusUnsupportedMediaType):
		for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Patch"} {
			add(name, "What is taken, where this was not.", false)
		}
	case strconv.Itoa(http.StatusTooManyRequests), strconv.Itoa(http.StatusServiceUnavailable):
		add("Retry-After", "Seconds.", true)
	}
}

// describeVersions tells that a put may make something, and that what a client has need not be
// sent again.
func describeVersions(op *huma.Operation) {
	ok := op.Responses[strconv.Itoa(http.StatusOK)]
	if ok == nil || ok.Headers["ETag"] == nil || !strings.Contains(op.Path, "{") {
		return
	}
	switch op.Method {
	case http.MethodPut:
		op.Responses[strconv.Itoa(http.StatusCreated)] = &huma.Response{Description: "Created: there was none", Headers: ok.Headers, Content: ok.Content}
	case http.MethodGet:
		op.Responses[strconv.Itoa(http.StatusNotModified)] = &huma.Response{Description: "It is as the client has it", Headers: map[string]*huma.Param{"ETag": ok.Headers["ETag"]}}
		op.Parameters = append(op.Parameters, &huma.Param{Name: "If-None-Match", In: "header", Schema: textSchema(), Description: "ETags of what you have: then 304."})
	}
}

// describeOnce adds the Idempotency-Key, and what else the answers to a creation carry.
func describeOnce(op *huma.Operation) {
	length := maxOnceKey
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &length, Pattern: `^"?[!#-\[\]-~]+"?$`, Examples: []any{"8e03978e-40d5-43dd-bc93-6894a57f9324"}},
		Description: "Of your choice: the same request with the same key is carried out once, and its answer given again for 24 hours, without secrets. Other parameters under the same key are refused, and so is a request that changed something and whose answer was lost (answer-lost).",
	})
	op.Responses[strconv.Itoa(http.StatusConflict)].Headers["Retry-After"] = &huma.Param{Description: "Seconds, where a request with the key is still running.", Schema: textSchema()}
	op.Responses[strconv.Itoa(op.DefaultStatus)].Headers["Idempotency-Replayed"] = &huma.Param{Description: "true: this answer was given before.", Schema: textSchema()}
}

// describeProblems names the types that problems have.
func describeProblems(schemas map[string]*huma.Schema) {
	model := schemas["ErrorModel"]
	kind := model.Properties["type"]
	kind.Default, kind.Examples, kind.Enum = nil, []any{string(forbidden)}, nil
	kind.Description = "What programs tell problems apart by; it never changes its meaning."
	for _, t := range problemTypes() {
		kind.Enum = append(kind.Enum, string(t.Type))
	}
	instance := model.Properties["instance"]
	instance.Examples, instance.Description = []any{"urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}, "The request, by its X-Request-Id."
	model.Required = []string{"type", "title", "status"}
	delete(schemas["ErrorDetail"].Properties, "value")
}

// describeApplied says that the answer to an apply holds no secrets where it is given again.
func describeApplied(s *huma.Schema) {
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return name == "secrets" })
	s.Properties["secret_shown"] = &huma.Schema{Type: huma.TypeBoolean, Description: "This answer was given before, with the secrets; they are not shown again."}
}

// introduction stands before everything in the document.
const introduction = `What an administrator does, over HTTP. ` + "`docs/admin-api.md`" + ` explains it at length.

Requests and answers are JSON. What is refused is answered with a problem (RFC 9457) whose ` + "`type`" + ` never changes its meaning.
Every answer has an X-Request-Id. Lists come page by page: follow ` + "`next`" + `, or the Link with rel=next.
An object comes with an ETag; sent back in If-Match, a change is made only if nobody else changed the object meanwhile.
A POST that makes something takes an Idempotency-Key: sent again with it, it is not made twice.`
