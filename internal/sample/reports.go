package sample

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// report is one of the plain sample: a title and a number.
type report struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Title  string `json:"title"`
	Period string `json:"period"`
	Total  int    `json:"total"`
}

type reports struct {
	mu   sync.Mutex
	list []report
	made int
}

// Reports lists, shows, makes and deletes reports, each tenant's own.
func Reports() http.Handler {
	const example, other = "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d10", "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d11"
	s := &reports{list: []report{
		{"rep_001", example, "Sales by region", "2026-Q1", 48210},
		{"rep_002", example, "Sales by region", "2026-Q2", 51377},
		{"rep_003", example, "Open invoices", "2026-06", 129},
		{"rep_004", other, "Sales by region", "2026-Q1", 990},
		{"rep_005", other, "Staff by site", "2026-Q1", 61},
	}}
	return routes(map[string]http.Handler{
		"GET /reports":         endpoint(s.all),
		"POST /reports":        endpoint(s.create),
		"GET /reports/{id}":    endpoint(s.get),
		"DELETE /reports/{id}": endpoint(s.remove),
	})
}

func (s *reports) all(r *http.Request) (int, any, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []report{}
	for _, v := range s.list {
		if everything || v.Tenant == tenant {
			found = append(found, v)
		}
	}
	return http.StatusOK, map[string]any{"reports": found}, nil
}

func (s *reports) get(r *http.Request) (int, any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if f != nil {
		return 0, nil, f
	}
	return http.StatusOK, s.list[i], nil
}

func (s *reports) create(r *http.Request) (int, any, *failure) {
	tenant, _, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	var v report
	if f := read(r, &v); f != nil {
		return 0, nil, f
	}
	if f := text("title", v.Title); f != nil {
		return 0, nil, f
	}
	if f := text("period", v.Period); f != nil {
		return 0, nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == maxMade {
		return 0, nil, full()
	}
	s.made++
	v.ID, v.Tenant = fmt.Sprintf("rep_%d", 100+s.made), tenant
	s.list = append(s.list, v)
	return http.StatusCreated, v, nil
}

func (s *reports) remove(r *http.Request) (int, any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if f != nil {
		return 0, nil, f
	}
	s.list = slices.Delete(s.list, i, i+1)
	return http.StatusNoContent, nil, nil
}

// find is where the report of the path stands, if the caller has it.
func (s *reports) find(r *http.Request) (int, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, f
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(s.list, func(v report) bool { return v.ID == id && (everything || v.Tenant == tenant) })
	if i < 0 {
		return 0, notFound("report", id)
	}
	return i, nil
}
