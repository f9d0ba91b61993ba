package audit_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

func change() domain.Change {
	return domain.Change{
		Seq: 1, Kind: domain.KindClient, Key: "rfc/a", Action: "client.create", Version: 1, Object: []byte(`{"id":"a"}`),
		Actor: "local:0", Time: time.UnixMicro(1_700_000_000_000_001),
	}
}

// The bytes that are hashed are part of the format: a chain written by one
// version is verified by the next. The values come from a program of its own
// (Python's hashlib and struct), see the comment at each.
func TestHashesAreFixed(t *testing.T) {
	// f = lambda b: struct.pack(">Q", len(b)) + b; n = lambda i: f(struct.pack(">q", i))
	// f(b"postern change 1") f(b"") n(1) f(b"client") f(b"rfc/a") f(b"client.create") n(1) f(b'{"id":"a"}') f(b"local:0") n(1700000000000001)
	want(t, "change", hex.EncodeToString(audit.HashChange(nil, change())), "c4a7fa78f7f17683bf9d3f23046ae916791632c9a55e6a699f25c198600c2719")
	// f(b"postern activity 1") f(b"\x01\x02") f(b"node") n(7) n(1) f(bytes(range(16))) f(b"token.issue") f(b"rfc") f(b"c") f(b"s") f(b"read") f(b"::1") f(b"") f(b"x") n(1)
	e := domain.Entry{Action: domain.TokenIssued, Issuer: "rfc", Client: "c", SecretID: "s", Scope: "read", Source: "::1", Correlation: "x"}
	for i := range e.ID {
		e.ID[i] = byte(i)
	}
	want(t, "batch", hex.EncodeToString(audit.HashBatch([]byte{1, 2}, "node", 7, []domain.Entry{e})), "0fb9542e6bc09960797b44dc959b20f5808e3ba9f869cb04d9aea6999a40251b")
	// e = lambda res: f(bytes(range(16))) f(b"call.refuse") f(b"rfc") f(b"c") f(b"s") f(b"read") f(b"::1") f(b"") f(b"x") n(1) f(res)
	// f(b"postern activity 2") f(b"\x01\x02") f(b"node") n(7) n(2) e(b"reports GET /x") e(b"")
	e.Action = domain.CallRefused
	about := e
	about.Resource = "reports GET /x"
	want(t, "batch with a resource", hex.EncodeToString(audit.HashBatch([]byte{1, 2}, "node", 7, []domain.Entry{about, e})), "3f512d40d83f38d0047a72216f161c681c2a9b7adaf132c47a9ca4c8a4f21721")
}

// Every member of every entry is covered, and moving bytes from one to the next, or
// from one entry to the next, is seen.
func TestHashBatchCoversAll(t *testing.T) {
	seen := map[string]string{}
	for name, edit := range map[string]func(a, b *domain.Entry){
		"nothing":          func(_, _ *domain.Entry) {},
		"id":               func(a, _ *domain.Entry) { a.ID[15]++ },
		"action":           func(a, _ *domain.Entry) { a.Action = domain.TokenRefused },
		"issuer":           func(a, _ *domain.Entry) { a.Issuer = "other" },
		"client":           func(a, _ *domain.Entry) { a.Client = "d" },
		"secret":           func(a, _ *domain.Entry) { a.SecretID = "t" },
		"scope":            func(a, _ *domain.Entry) { a.Scope = "write" },
		"source":           func(a, _ *domain.Entry) { a.Source = "::2" },
		"reason":           func(a, _ *domain.Entry) { a.Reason = "no_route" },
		"correlation":      func(a, _ *domain.Entry) { a.Correlation = "y" },
		"count":            func(a, _ *domain.Entry) { a.Count = 2 },
		"resource":         func(a, _ *domain.Entry) { a.Resource = "reports" },
		"other resource":   func(a, _ *domain.Entry) { a.Resource = "reporta" },
		"of the other":     func(_, b *domain.Entry) { b.Resource = "reports" },
		"of both":          func(a, b *domain.Entry) { a.Resource, b.Resource = "reports", "reports" },
		"as the reason":    func(a, _ *domain.Entry) { a.Reason = "reports" },
		"an id's length":   func(a, _ *domain.Entry) { a.Resource = string(a.ID[:]) },
		"resource, reason": func(a, _ *domain.Entry) { a.Reason, a.Resource = "re", "ports" },
	} {
		e := domain.Entry{Action: domain.CallRefused, Issuer: "rfc", Client: "c", SecretID: "s", Scope: "read", Source: "::1", Correlation: "x"}
		a, b := e, e
		b.ID[15] = 9
		edit(&a, &b)
		h := fmt.Sprintf("%x", audit.HashBatch(nil, "node", 1, []domain.Entry{a, b}))
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[h] = name
	}
}

// Every member is covered, and moving bytes from one to the next is seen.
func TestHashChangeCoversAll(t *testing.T) {
	seen := map[string]string{}
	for name, edit := range map[string]func(*domain.Change){
		"nothing":      func(*domain.Change) {},
		"seq":          func(c *domain.Change) { c.Seq++ },
		"kind":         func(c *domain.Change) { c.Kind = domain.KindKey },
		"key":          func(c *domain.Change) { c.Key = "rfc/b" },
		"action":       func(c *domain.Change) { c.Action = "client.update" },
		"version":      func(c *domain.Change) { c.Version++ },
		"object":       func(c *domain.Change) { c.Object = []byte(`{"id": "a"}`) },
		"no object":    func(c *domain.Change) { c.Object = nil },
		"actor":        func(c *domain.Change) { c.Actor = "system" },
		"time":         func(c *domain.Change) { c.Time = c.Time.Add(time.Microsecond) },
		"bytes moved":  func(c *domain.Change) { c.Kind, c.Key = "clientr", "fc/a" },
		"bytes moved2": func(c *domain.Change) { c.Key, c.Action = "rfc/ac", "lient.create" },
	} {
		c := change()
		edit(&c)
		h := fmt.Sprintf("%x", audit.HashChange(nil, c))
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[h] = name
	}
	if h := fmt.Sprintf("%x", audit.HashChange([]byte{1}, change())); seen[h] != "" {
		t.Error("the hash before is not covered")
	}
}
