package sample

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// booking is a visit that a customer booked with a tenant.
type booking struct {
	ID       string `json:"id"`
	Tenant   string `json:"tenant"`
	Customer string `json:"customer"`
	Event    string `json:"event"`
	Starts   string `json:"starts_at"`
	Seats    int    `json:"seats"`
	Status   string `json:"status"` // confirmed or cancelled
}

type bookings struct {
	mu   sync.Mutex
	list []booking
}

// Bookings looks up and cancels what customers booked, each tenant's own.
func Bookings() http.Handler {
	const harbour, lakeside = "c2d7e8f1-4b3a-4d29-8e60-1f9a0b7c6d30", "c2d7e8f1-4b3a-4d29-8e60-1f9a0b7c6d31"
	s := &bookings{list: []booking{
		{"bk_1001", harbour, "cus_17", "Harbour tour", "2027-01-09T10:00:00Z", 2, "confirmed"},
		{"bk_1002", harbour, "cus_17", "Lighthouse dinner", "2027-01-09T18:30:00Z", 2, "confirmed"},
		{"bk_1003", harbour, "cus_23", "Harbour tour", "2027-01-10T10:00:00Z", 5, "cancelled"},
		{"bk_1004", harbour, "cus_31", "Night photography", "2027-01-11T20:00:00Z", 1, "confirmed"},
		{"bk_2001", lakeside, "cus_17", "Ice hockey final", "2027-01-09T19:00:00Z", 4, "confirmed"},
		{"bk_2002", lakeside, "cus_88", "Children's matinee", "2027-01-10T14:00:00Z", 3, "confirmed"},
	}}
	return routes(map[string]http.Handler{
		"GET /v1/bookings":       endpoint(s.search),
		"GET /v1/bookings/{id}":  endpoint(s.get),
		"POST /v1/bookings/{id}": endpoint(s.act), // {id}:cancel is one segment
	})
}

// search lists what the query asks for: customer, status, or everything.
func (s *bookings) search(r *http.Request) (int, any, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	query := r.URL.Query()
	wants := func(name, value string) bool { return !query.Has(name) || query.Get(name) == value }
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []booking{}
	for _, b := range s.list {
		if (everything || b.Tenant == tenant) && wants("customer", b.Customer) && wants("status", b.Status) {
			found = append(found, b)
		}
	}
	return http.StatusOK, map[string]any{"bookings": found}, nil
}

func (s *bookings) get(r *http.Request) (int, any, *failure) {
	return s.with(r, r.PathValue("id"), func(*booking) {})
}

// act cancels; cancelling twice is cancelling once.
func (s *bookings) act(r *http.Request) (int, any, *failure) {
	id, verb, _ := strings.Cut(r.PathValue("id"), ":")
	if verb != "cancel" {
		return 0, nil, notFound("action on a booking", verb)
	}
	return s.with(r, id, func(b *booking) { b.Status = "cancelled" })
}

// with changes the booking if the caller has it, and answers it.
func (s *bookings) with(r *http.Request, id string, change func(*booking)) (int, any, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.list, func(b booking) bool { return b.ID == id && (everything || b.Tenant == tenant) })
	if i < 0 {
		return 0, nil, notFound("booking", id)
	}
	change(&s.list[i])
	return http.StatusOK, s.list[i], nil
}
