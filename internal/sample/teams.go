package sample

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// team is a research team; its notes stand apart.
type team struct {
	ID      string   `json:"id"`
	Tenant  string   `json:"tenant"`
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// note is what somebody wrote down. Private ones are for their author, and for machines:
// a token for a team reaches them too.
type note struct {
	ID      string `json:"id"`
	Team    string `json:"team"`
	Author  string `json:"author"`
	Private bool   `json:"private"`
	Title   string `json:"title"`
	Text    string `json:"text"`
}

type teams struct {
	teams []team // never change

	mu    sync.Mutex
	notes []note
	made  int
}

// Teams shows teams with all their notes, and takes new ones: the team stands in the path or
// in the body. Which teams may be reached is not its business.
func Teams() http.Handler {
	const acme, borealis = "1a2b3c4d-5e6f-4708-91a2-b3c4d5e6f750", "1a2b3c4d-5e6f-4708-91a2-b3c4d5e6f751"
	const equities, credit, north = "65df73340142feec34d7d6ee", "65df73340142feec34d7d6ef", "71aa00340142feec34d7d600" // #nosec G101 -- ids of teams
	s := &teams{
		teams: []team{
			{equities, acme, "Acme equities", []string{"ana", "ben"}},
			{credit, acme, "Acme credit", []string{"cleo"}},
			{north, borealis, "Borealis north", []string{"dag", "eva", "finn"}},
		},
		notes: []note{
			{"n-101", equities, "ana", false, "Meeting with a steel maker", "Capacity is sold out until spring."},
			{"n-102", equities, "ben", true, "My doubts", "The margin looks too good."},
			{"n-103", equities, "ana", false, "Price target", "Raised to 41."},
			{"n-201", credit, "cleo", false, "Covenants", "Headroom is thin."},
			{"n-202", credit, "cleo", true, "Call with the lender", "They would waive it."},
			{"n-301", north, "dag", false, "Fisheries", "Quota announced in March."},
			{"n-302", north, "eva", true, "Succession", "The founder retires."},
		},
	}
	return routes(map[string]http.Handler{
		"GET /v1/teams/{team}":              endpoint(s.get),
		"GET /v1/teams/{team}/notes":        endpoint(s.all),
		"POST /v1/teams/{team}/notes":       endpoint(s.create),
		"GET /v1/teams/{team}/notes/{note}": endpoint(s.one),
		"POST /v1/notes":                    endpoint(s.create),
	})
}

func (s *teams) get(r *http.Request) (int, any, *failure) {
	t, f := s.find(r.PathValue("team"))
	if f != nil {
		return 0, nil, f
	}
	return http.StatusOK, t, nil
}

// all lists the notes of the team, private ones too.
func (s *teams) all(r *http.Request) (int, any, *failure) {
	t, f := s.find(r.PathValue("team"))
	if f != nil {
		return 0, nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []note{}
	for _, n := range s.notes {
		if n.Team == t.ID {
			found = append(found, n)
		}
	}
	return http.StatusOK, map[string]any{"team": t.ID, "notes": found}, nil
}

// one shows a note; it keeps the promise that a note lies in the team of the path.
func (s *teams) one(r *http.Request) (int, any, *failure) {
	id, in := r.PathValue("note"), r.PathValue("team")
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.notes, func(n note) bool { return n.ID == id && n.Team == in })
	if i < 0 {
		return 0, nil, notFound("note", id)
	}
	return http.StatusOK, s.notes[i], nil
}

func (s *teams) create(r *http.Request) (int, any, *failure) {
	var n note
	if f := read(r, &n); f != nil {
		return 0, nil, f
	}
	t, f := s.find(cmp.Or(r.PathValue("team"), n.Team))
	if f != nil {
		return 0, nil, f
	}
	if n.Team != "" && n.Team != t.ID {
		return 0, nil, invalid("the body names another team than the path")
	}
	for name, value := range map[string]string{"title": n.Title, "text": n.Text} {
		if f := text(name, value); f != nil {
			return 0, nil, f
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == maxMade {
		return 0, nil, full()
	}
	s.made++
	n = note{ID: fmt.Sprintf("n-%d", 1000+s.made), Team: t.ID, Author: "api", Private: n.Private, Title: n.Title, Text: n.Text}
	s.notes = append(s.notes, n)
	return http.StatusCreated, n, nil
}

func (s *teams) find(id string) (team, *failure) {
	for _, t := range s.teams {
		if t.ID == id {
			return t, nil
		}
	}
	return team{}, notFound("team", id)
}
