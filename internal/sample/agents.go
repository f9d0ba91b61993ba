package sample

import (
	"fmt"
	"net/http"
)

// agent is a business that writes to people's phones.
type agent struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Sent   int    `json:"messages_sent"`
}

type agents struct{ owned[agent] }

// Agents lists and shows a tenant's agents and takes messages that they send.
func Agents() http.Handler {
	const coffee, books = "e5f60718-93a4-4bc2-9d1e-2a3b4c5d6e40", "e5f60718-93a4-4bc2-9d1e-2a3b4c5d6e41"
	s := &agents{owned[agent]{noun: "agent", plural: "agents", key: func(v *agent) (string, string) { return v.ID, v.Tenant }, list: []agent{
		{"coffee-orders", coffee, "Corner Coffee orders", "LAUNCHED", 812},
		{"coffee-offers", coffee, "Corner Coffee offers", "LAUNCHED", 77},
		{"coffee-jobs", coffee, "Corner Coffee jobs", "IN_REVIEW", 0},
		{"books-pickup", books, "Sunny Books pick-up", "LAUNCHED", 301},
	}}}
	return routes(map[string]http.Handler{
		"GET /rbm/v1/agents":                   endpoint(s.all),
		"GET /rbm/v1/agents/{agent}":           endpoint(s.get),
		"POST /rbm/v1/agents/{agent}/messages": endpoint(s.send),
	})
}

// send takes a message and keeps the number of it only.
func (s *agents) send(r *http.Request) (int, any, *failure) {
	var message struct{ To, Text string }
	if f := read(r, &message); f != nil {
		return 0, nil, f
	}
	for name, value := range map[string]string{"to": message.To, "text": message.Text} {
		if f := text(name, value); f != nil {
			return 0, nil, f
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if f != nil {
		return 0, nil, f
	}
	if s.list[i].Status != "LAUNCHED" {
		return 0, nil, &failure{http.StatusConflict, "not_launched", "agent " + s.list[i].ID + " is in review"}
	}
	s.made++
	s.list[i].Sent++
	return http.StatusAccepted, map[string]string{
		"message": fmt.Sprintf("msg_%d", s.made), "agent": s.list[i].ID, "tenant": s.list[i].Tenant, "to": message.To, "state": "QUEUED",
	}, nil
}
