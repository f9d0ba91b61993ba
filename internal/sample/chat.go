package sample

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

type chat struct {
	mu            sync.Mutex
	organizations map[string]organization // by tenant
}

// organization is how a tenant configured the product; that of the platform has no tenant.
type organization struct {
	Tenant    string `json:"tenant_id"`
	Name      string `json:"name"`
	Model     string `json:"default_model"`
	Retention int    `json:"retention_days"`
}

// rule is one of data loss prevention.
type rule struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant_id"`
	Name   string `json:"name"`
	Action string `json:"action"`
}

// Chat lists models, completes chats (also as a stream of events), shows rules of data loss prevention, and
// shows and changes the configuration of an organisation, each tenant's own.
func Chat() http.Handler {
	const globex, umbra = "8c7b6a59-4838-4271-8605-f4e3d2c1b060", "8c7b6a59-4838-4271-8605-f4e3d2c1b061"
	s := &chat{organizations: map[string]organization{
		globex: {globex, "Globex", "canned-1", 30},
		umbra:  {umbra, "Umbra Works", "canned-2", 365},
		"":     {"", "The platform", "canned-1", 7},
	}}
	rules := []rule{
		{"dlp_1", globex, "Card numbers", "block"},
		{"dlp_2", globex, "Names of projects", "redact"},
		{"dlp_3", globex, "Addresses", "warn"},
		{"dlp_4", umbra, "Card numbers", "warn"},
	}
	return routes(map[string]http.Handler{
		"GET /api/v1/models": endpoint(func(*http.Request) (int, any, *failure) {
			return http.StatusOK, map[string]any{"models": []string{"canned-1", "canned-2"}}, nil
		}),
		"POST /api/v1/chat/completions": http.HandlerFunc(complete),
		"GET /api/admin/organization":   endpoint(s.get),
		"PUT /api/admin/organization":   endpoint(s.put),
		"GET /api/v1/dlp/rules": endpoint(func(r *http.Request) (int, any, *failure) {
			tenant, everything, f := caller(r)
			found := []rule{}
			for _, v := range rules {
				if everything || v.Tenant == tenant {
					found = append(found, v)
				}
			}
			return http.StatusOK, map[string]any{"rules": found}, f
		}),
	})
}

func (s *chat) get(r *http.Request) (int, any, *failure) {
	tenant, _, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.organizations[tenant]
	if !ok {
		return 0, nil, notFound("organization of tenant", tenant)
	}
	return http.StatusOK, o, nil
}

// put replaces the configuration; whose it is does not change.
func (s *chat) put(r *http.Request) (int, any, *failure) {
	tenant, _, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	var o organization
	if f := read(r, &o); f != nil {
		return 0, nil, f
	}
	for name, value := range map[string]string{"name": o.Name, "default_model": o.Model} {
		if f := text(name, value); f != nil {
			return 0, nil, f
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.organizations[tenant]; !ok {
		return 0, nil, notFound("organization of tenant", tenant)
	}
	o.Tenant = tenant
	s.organizations[tenant] = o
	return http.StatusOK, o, nil
}

// completion is what a model made of messages: the same for the same.
type completion struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
}

// words is the answer, by how much was asked.
func (c *completion) words() []string {
	answers := []string{
		"Gates keep what is inside safe and let in whoever may come.",
		"A short answer is seldom wrong for long.",
		"Ask for one thing and you will know which of them was answered.",
		"Nothing here was made up by a model: it is the same every time.",
	}
	n := 0
	for _, m := range c.Messages {
		n += len(strings.Fields(m.Content))
	}
	return strings.Fields(answers[n%len(answers)])
}

func complete(w http.ResponseWriter, r *http.Request) {
	var c completion
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	f := read(r, &c)
	if f == nil {
		f = text("model", c.Model)
	}
	if f == nil && len(c.Messages) == 0 {
		f = invalid("messages must hold one message at least")
	}
	if f != nil {
		writeFailure(w, f)
		return
	}
	if c.Stream {
		c.stream(w)
		return
	}
	message := map[string]string{"role": "assistant", "content": strings.Join(c.words(), " ")}
	writeJSON(w, http.StatusOK, map[string]any{
		"object": "chat.completion", "model": c.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": "stop"}},
	})
}

// stream sends the answer word by word as server-sent events.
func (c *completion) stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	for i, word := range append(c.words(), "[DONE]") {
		event := word
		if word != "[DONE]" {
			delta := map[string]string{"content": strings.Repeat(" ", min(i, 1)) + word}
			data, _ := json.Marshal(map[string]any{ // of strings
				"object": "chat.completion.chunk", "model": c.Model, "choices": []any{map[string]any{"index": 0, "delta": delta}},
			})
			event = string(data)
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", event); err != nil || out.Flush() != nil {
			return // whoever asked went away
		}
	}
}
