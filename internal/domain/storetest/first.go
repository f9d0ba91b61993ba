package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// First is what the first version of the tables held: statements that write it, and its
// activity. blob writes bytes as the database reads them.
func First(blob func([]byte) string) (statements []string, old []domain.Entry) {
	old = Entries(begin(), 3)
	old[1] = domain.Entry{ID: old[1].ID, Action: domain.TokenRefused, Issuer: "rfc", Client: "a", Reason: "scope_invalid", Correlation: "c", Count: 2}
	texts := map[string]int{}
	number := func(text string) string {
		if text == "" {
			return "NULL"
		}
		if texts[text] == 0 {
			texts[text] = len(texts) + 1
			statements = append(statements, fmt.Sprintf("INSERT INTO interned (id, value) VALUES (%d, '%s')", texts[text], text))
		}
		return fmt.Sprint(texts[text])
	}
	for i := range old {
		e := &old[i]
		values := []string{blob(e.ID[:]), "1"}
		for _, text := range []string{string(e.Action), e.Issuer, e.Client, e.SecretID, e.Scope, e.Source, e.Reason} {
			values = append(values, number(text))
		}
		values = append(values, "'"+e.Correlation+"'", fmt.Sprint(e.Count))
		statements = append(statements, "INSERT INTO activity (id, batch, action, issuer, client, secret, scope, source, reason, correlation, count) VALUES ("+
			strings.Join(values, ", ")+")")
	}
	statements = append(statements, fmt.Sprintf("INSERT INTO batch (id, node, n, first, last, entries, hash) VALUES (1, %s, 1, %s, %s, 3, %s)",
		number("n"), blob(old[0].ID[:]), blob(old[2].ID[:]), blob(audit.HashBatch(nil, "n", 1, old))))
	return append(statements, firstChanges(blob)...), old
}

// firstChanges are those of a client that was deleted, of its tombstone, a tenant and a key.
func firstChanges(blob func([]byte) string) (statements []string) {
	var hash []byte
	list := []domain.Change{
		{Kind: domain.KindTenant, Key: "t1", Action: "tenant.create", Version: 1, Object: json.RawMessage(`{"id":"t1"}`)},
		{Kind: domain.KindClient, Key: "rfc/a/b", Action: "client.create", Version: 1, Object: json.RawMessage(`{"tenant":"t1"}`)},
		{Kind: domain.KindClient, Key: "rfc/a/b", Action: "client.delete"},
		{Kind: domain.KindTombstone, Key: "rfc/a/b", Action: "tombstone.create", Version: 1, Object: json.RawMessage(`{"issuer":"rfc"}`)},
		{Kind: domain.KindClient, Key: "rfc/wide", Action: "client.create", Version: 1, Object: json.RawMessage(`{"platform_wide":true}`)},
		{Kind: domain.KindKey, Key: "rfc/k", Action: "key.create", Version: 1, Object: json.RawMessage(`{}`)},
		{Kind: domain.KindIssuer, Key: "rfc", Action: "issuer.create", Version: 1, Object: json.RawMessage(`{}`)},
	}
	for i := range list {
		c := &list[i]
		c.Seq, c.Actor, c.Time = domain.Seq(i+1), domain.System, begin()
		hash = audit.HashChange(hash, *c)
		object := "NULL"
		if c.Object != nil {
			object = "'" + string(c.Object) + "'"
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO change (seq, kind, key, action, version, object, actor, at, hash) VALUES (%d, '%s', '%s', '%s', %d, %s, 'system', %d, %s)",
			c.Seq, c.Kind, c.Key, c.Action, c.Version, object, c.Time.UnixMicro(), blob(hash)))
		if c.Object != nil && list[min(i+1, len(list)-1)].Action != "client.delete" {
			statements = append(statements, fmt.Sprintf("INSERT INTO object (kind, key, version, doc) VALUES ('%s', '%s', %d, %s)", c.Kind, c.Key, c.Version, object))
		}
	}
	return append(statements, fmt.Sprintf("INSERT INTO feed (one, incarnation, seq, hash) VALUES (1, 'first', %d, %s)", len(list), blob(hash)))
}

// Upgraded proves a store that was opened from the tables of First: what was there is found
// and verifies, and new entries follow in its chain.
func Upgraded(t *testing.T, s Store, old []domain.Entry) {
	t.Helper()
	verified(t, s)
	list := Entries(old[len(old)-1].ID.Time().Add(time.Second), 3)
	list[1].Action, list[1].Resource = domain.CallRefused, "reports GET /reports/{id}"
	list[2].Tenant, list[2].Actor, list[2].Details = "t1", "user:7", "{}"
	appendAll(t, s, "n", list)
	got := search(t, s, domain.Query{})
	slices.Reverse(got)
	same(t, "activity", got, slices.Concat(old, list))
	for _, test := range []struct {
		q    domain.Query
		want string
	}{
		{domain.Query{Tenant: "t1"}, "tenant.create client.create client.delete tombstone.create token.issue"},
		{domain.Query{Client: "a/b"}, "client.create client.delete tombstone.create"},
		{domain.Query{Issuer: "rfc", To: begin().Add(time.Millisecond / 2)}, "token.issue client.create client.delete tombstone.create client.create key.create issuer.create"},
		{domain.Query{Resource: "client/rfc/wide"}, "client.create"},
		{domain.Query{Action: domain.TokenRefused}, "token.refuse"},
		{domain.Query{Client: "a", Action: domain.TokenRefused}, "token.refuse"},
		{domain.Query{Action: "tenant.create"}, "tenant.create"},
	} {
		same(t, fmt.Sprintf("%+v", test.q), actions(eventsOf(t, s, test.q)), test.want)
	}
	verified(t, s)
}
