package sample

import (
	"fmt"
	"net/http"
	"slices"
)

// report is one of the plain sample: a title and a number.
type report struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Title  string `json:"title"`
	Period string `json:"period"`
	Total  int    `json:"total"`
}

type reports struct{ owned[report] }

// Reports lists, shows, makes and deletes reports, each tenant's own.
func Reports() http.Handler {
	const example, other = "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d10", "3f0c9a52-6d1b-4c0e-9a37-5b1e0c6a7d11"
	s := &reports{owned[report]{noun: "report", plural: "reports", key: func(v *report) (string, string) { return v.ID, v.Tenant }, list: []report{
		{"rep_001", example, "Sales by region", "2026-Q1", 48210},
		{"rep_002", example, "Sales by region", "2026-Q2", 51377},
		{"rep_003", example, "Open invoices", "2026-06", 129},
		{"rep_004", other, "Sales by region", "2026-Q1", 990},
		{"rep_005", other, "Staff by site", "2026-Q1", 61},
	}}}
	return routes(map[string]http.Handler{
		"GET /reports":             endpoint(s.all),
		"POST /reports":            endpoint(s.create),
		"GET /reports/{report}":    endpoint(s.get),
		"DELETE /reports/{report}": endpoint(s.remove),
	})
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
