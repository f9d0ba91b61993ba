package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// story writes two clients of two tenants, a policy, and an entry of activity of each kind,
// all later than the changes, and returns the entries.
func story(t *testing.T, s Store) []domain.Entry {
	t.Helper()
	for _, c := range []domain.Client{client("rfc", "a"), client("other", "b")} {
		if c.ID == "b" {
			c.Tenant = "t2"
		}
		put(t, s, clients, c, 0)
	}
	put(t, s, func(t domain.Tables) domain.Table[domain.Policy] { return t.Policies }, domain.Policy{Name: "p", Label: strings.Repeat("x", domain.MaxDetails)}, 0)
	_, err := s.Change(t.Context(), "person:ann", func(tables domain.Tables) ([]domain.Change, error) {
		grave := domain.Tombstone{Issuer: "rfc", ID: "a", Epoch: 4}
		if _, err := tables.Tombstones.Put(t.Context(), grave, 0); err != nil {
			return nil, err
		}
		return []domain.Change{event(client("rfc", "a"), "client.delete"), {Kind: domain.KindTombstone, Key: "rfc/a", Action: "tombstone.create"}},
			tables.Clients.Delete(t.Context(), "rfc/a", 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := head.Now.Add(time.Hour)
	id := func(n int) domain.EventID { return domain.NewEventID(at.Add(time.Duration(n) * time.Second)) }
	list := []domain.Entry{
		{ID: id(0), Action: domain.TokenIssued, Issuer: "rfc", Client: "a", Tenant: "t1", SecretID: "s1", Scope: "x", Source: "10.0.0.1", Count: 1},
		{ID: id(1), Action: domain.TokenRefused, Issuer: "rfc", Client: "a", Tenant: "t1", Reason: "scope_invalid", Correlation: "c", Count: 3},
		{ID: id(2), Action: domain.CallRefused, Issuer: "other", Client: "b", Tenant: "t2", Reason: "scope_missing", Resource: "reports GET /", Count: 1},
		{ID: id(3), Action: "study_exported", Issuer: "rfc", Client: "a", Tenant: "t1", Actor: "user:7", Resource: "study/9", Details: `{"n": 1}`, Count: 1},
		{ID: id(4), Action: domain.TokenRefused, Issuer: "rfc", Reason: "credentials_wrong", Source: "10.0.0.2", Count: 1},
	}
	if err := s.Append(t.Context(), "n", list); err != nil {
		t.Fatal(err)
	}
	return list
}

func eventsOf(t *testing.T, s Store, q domain.Query) []domain.Event {
	t.Helper()
	list, next, err := s.Events(t.Context(), q)
	if err != nil || next != "" && len(list) < q.Limit {
		t.Fatalf("%+v: next %q, %v", q, next, err)
	}
	return list
}

// actions are those of the events, oldest first.
func actions(list []domain.Event) string {
	var b []string
	for _, e := range slices.Backward(list) {
		b = append(b, e.Action)
	}
	return strings.Join(b, " ")
}

// COM-09, D-106: one trail tells every change, token, refusal and event of a product.
func trail(t *testing.T, s Store) {
	entries := story(t, s)
	list := eventsOf(t, s, domain.Query{})
	const all = "client.put client.put policy.put client.delete tombstone.create token.issue token.refuse call.refuse study_exported token.refuse"
	same(t, "the trail", actions(list), all)
	product := list[1]
	same(t, "a product's event", product, domain.Event{
		ID: entries[3].ID.String(), Time: entries[3].ID.Time(), Action: "study_exported", Actor: "user:7", Issuer: "rfc", Client: "a", Tenant: "t1",
		Resource: "study/9", Outcome: domain.Success, Count: 1, RequestID: entries[3].ID.String(), Details: json.RawMessage(`{"n": 1}`),
	})
	refused := list[3]
	same(t, "a refusal", fmt.Sprint(refused.Actor, refused.Outcome, refused.Reason, refused.Count, refused.Correlation), "arefusedscope_invalid3c")
	deleted := list[6]
	deleted.Time = time.Time{}
	same(t, "a deletion", deleted, domain.Event{
		ID: "change-4", Action: "client.delete", Actor: "person:ann", Issuer: "rfc", Client: "a", Tenant: "t1", Resource: "client/rfc/a",
		Outcome: domain.Success, Count: 1, Seq: 4, Details: json.RawMessage(`{"version":0}`),
	})
	var d domain.ChangeDetails
	if err := json.Unmarshal(list[9].Details, &d); err != nil || d.Version != 1 || !strings.Contains(string(d.Object), `"tenant":"t1"`) || holdsCanary(d.Object) {
		t.Errorf("details of a change: %s, %v", list[9].Details, err)
	}
	d = domain.ChangeDetails{}
	if err := json.Unmarshal(list[7].Details, &d); err != nil || d.Object != nil || d.Bytes <= domain.MaxDetails {
		t.Errorf("details of a large change: %.100s, %v", list[7].Details, err)
	}
	var paged []domain.Event
	for q := (domain.Query{Limit: 3}); ; {
		page, next, err := s.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, page...)
		if q.Cursor = next; next == "" {
			break
		}
	}
	same(t, "by pages", paged, list)
	verified(t, s)
}

func trailSearch(t *testing.T, s Store) {
	entries := story(t, s)
	began := entries[0].ID.Time()
	all := domain.Reach{AllTenants: true, AllIssuers: true}
	for _, test := range []struct {
		name string
		q    domain.Query
		want string
	}{
		{"client", domain.Query{Client: "a"}, "client.put client.delete tombstone.create token.issue token.refuse study_exported"},
		{"issuer", domain.Query{Issuer: "other"}, "client.put call.refuse"},
		{"tenant", domain.Query{Tenant: "t2"}, "client.put call.refuse"},
		{"actor of changes", domain.Query{Actor: "person:ann"}, "client.delete tombstone.create"},
		{"actor of a product's event", domain.Query{Actor: "user:7"}, "study_exported"},
		{"a client as actor", domain.Query{Actor: "a"}, "token.issue token.refuse"},
		{"action", domain.Query{Action: "client.put"}, "client.put client.put"},
		{"a product's action", domain.Query{Action: "study_exported"}, "study_exported"},
		{"kind", domain.Query{Resource: "client"}, "client.put client.put client.delete"},
		{"kind and key", domain.Query{Resource: "client/other/b"}, "client.put"},
		{"resource of a call", domain.Query{Resource: "reports GET /"}, "call.refuse"},
		{"refused", domain.Query{Outcome: domain.Refused, Tenant: "t1"}, "token.refuse"},
		{"success", domain.Query{Outcome: domain.Success, From: began}, "token.issue study_exported"},
		{"time", domain.Query{From: began.Add(time.Second), To: began.Add(3 * time.Second)}, "token.refuse call.refuse"},
		{"before the activity", domain.Query{To: began, Client: "b"}, "client.put"},
		{"everywhere", domain.Query{Within: &all, Issuer: "other"}, "client.put call.refuse"},
		{"a tenant", domain.Query{Within: &domain.Reach{Tenants: []string{"t2", "t3"}, AllIssuers: true}}, "client.put call.refuse"},
		{"a tenant, another issuer", domain.Query{Within: &domain.Reach{Tenants: []string{"t2"}, Issuers: []string{"rfc"}}}, ""},
		{"an issuer", domain.Query{Within: &domain.Reach{AllTenants: true, Issuers: []string{"other"}}}, "client.put call.refuse"},
		{"three tenants", domain.Query{Within: &domain.Reach{Tenants: []string{"t3", "t1", "t2"}, AllIssuers: true}, Action: domain.TokenRefused}, "token.refuse"},
		{"nowhere", domain.Query{Within: &domain.Reach{}}, ""},
		{"nowhere, of one tenant", domain.Query{Within: &domain.Reach{AllIssuers: true}, Tenant: "t1"}, ""},
		// D-107: what is asked for is a parameter, whatever it says.
		{"a quote", domain.Query{Client: "a' OR '1' = '1"}, ""},
		{"a comment", domain.Query{Issuer: `rfc" --`, Resource: "client/%"}, ""},
		{"a pattern", domain.Query{Tenant: "t%"}, ""},
		{"a zero byte", domain.Query{Tenant: "t1\x00", Within: &domain.Reach{Tenants: []string{"\xff"}, Issuers: []string{"\x00"}}}, ""},
		{"an outcome that is none", domain.Query{Outcome: "'", Client: "b"}, ""},
	} {
		same(t, test.name, actions(eventsOf(t, s, test.q)), test.want)
	}
}

// D-107: a cursor is one of ours, or refused.
func trailCursor(t *testing.T, s Store) {
	story(t, s)
	_, good, err := s.Events(t.Context(), domain.Query{Limit: 1})
	if err != nil || good == "" {
		t.Fatal(good, err)
	}
	for _, cursor := range []string{"x", "1.2.3", "1.2.3.4", good + " ", " " + good, "+" + good, strings.ToUpper(good) + "'", "0" + good, "1 OR 1.2." + good, "-.-." + good} {
		if _, _, err := s.Events(t.Context(), domain.Query{Cursor: cursor}); !errors.Is(err, domain.ErrCursor) {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}

// D-108: what comes from outside cannot make two entries of one, nor stand in for another part.
func activityParts(t *testing.T, s Store) {
	list := Entries(begin(), 5)
	list[0].Tenant, list[1].Actor, list[2].Details = "t1", "user:7\n2026-11-23 token.issue", "{\"a\":\"\n\"}"
	list[3].Correlation, list[3].Resource = "\r\nx\x1b[0m", "a\nb"
	appendAll(t, s, "n", list)
	got := search(t, s, domain.Query{})
	slices.Reverse(got)
	same(t, "entries", got, list)
	verified(t, s)
}
