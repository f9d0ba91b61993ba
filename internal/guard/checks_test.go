package guard_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// torn is a body that breaks off.
type torn struct{ io.Reader }

func (t torn) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// What came of a body that broke off is not judged, even if it could be read.
func TestTornBody(t *testing.T) {
	n := newTown(t)
	for _, whole := range []bool{true, false} {
		body := io.Reader(strings.NewReader("study=s1"))
		want := guard.Reason("")
		if !whole {
			body, want = torn{body}, guard.BodyMalformed
		}
		r := request("POST", base+"/search", n.token("main", "c1", ""), "Content-Type", "application/x-www-form-urlencoded")
		r.Body, r.ContentLength = io.NopCloser(body), -1
		n.want(n.judge(r), want)
	}
}

// A parameter of a content type is charset, or readers may differ.
func TestContentTypeParameter(t *testing.T) {
	n := newTown(t)
	for kind, want := range map[string]guard.Reason{
		"application/json; charset=utf-8":                "",
		"application/json; version=utf-8":                guard.BodyType,
		"application/json; charset=utf-8; version=utf-8": guard.BodyType,
		"application/json; charset=latin1":               guard.BodyType,
	} {
		n.want(n.judge(with(request("POST", base+"/search", n.token("main", "c1", "")), kind, `{"study":"s1"}`)), want)
	}
}

// An API that trusts no issuer that is there takes nobody's token.
func TestNobodysAPI(t *testing.T) {
	n := newTown(t)
	n.api(domain.API{
		Name: "nobodys", Audience: "urn:reports", Issuers: []string{"gone"}, Hosts: []string{"auth.example.com"}, Path: "/nobodys",
		Routes: []policy.Route{{Method: "GET", Path: "/me"}},
	})
	n.want(n.get("https://auth.example.com/nobodys/me", n.token("main", "c1", "")), guard.TokenInvalid)
}

// Read gives tables that fail while the store is lost.
func (f fragile) Read() domain.Tables {
	t := f.Store.Read()
	t.Clients = fragileClients{t.Clients, f}
	return t
}

type fragileClients struct {
	domain.Table[domain.Client]
	fragile
}

func (f fragileClients) Get(ctx context.Context, key string) (domain.Client, error) {
	if _, err := f.Head(ctx); err != nil {
		return domain.Client{}, err
	}
	return f.Table.Get(ctx, key)
}

// Where the store fails at a client that was never asked for, nobody is told that the token
// is worth nothing.
func TestStoreFailsAtTheClient(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "wide", "")
	update(n, clients, "main/wide", func(c *domain.Client) { c.Note = "forgotten by the node" })
	n.lose(true)
	n.want(n.get(base+"/me", token), guard.Unavailable)
	n.lose(false)
	n.want(n.get(base+"/me", token), "")
}

// Where no verifier can be made of an API, nobody is judged by a part of them.
func TestNoVerifier(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	n.want(n.get(base+"/me", token), "")
	n.api(domain.API{Name: "odd", Issuers: []string{"main"}, Path: "/odd", Routes: []policy.Route{{Method: "GET", Path: "/me"}}}) // no audience
	for _, url := range []string{base + "/me", "https://auth.example.com/odd/me"} {
		n.want(n.get(url, token), guard.Unavailable)
	}
}
