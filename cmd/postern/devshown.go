package main

import (
	"fmt"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// shownIssuer is one issuer as the screen and --json-file show it.
type shownIssuer struct {
	Name     string        `json:"name"`
	Dialect  string        `json:"dialect"`
	Issuer   string        `json:"issuer"`
	TokenURL string        `json:"token_url"`
	JWKSURL  string        `json:"jwks_url"`
	Clients  []shownClient `json:"clients"`
	APIs     []shownAPI    `json:"apis"`

	title   string
	dialect *dialect.Dialect
}

// shownClient is one client with what it should send. The secret is plain on purpose:
// the file is for its reader alone.
type shownClient struct {
	Name     string `json:"name"`
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"` //nolint:gosec // shown once, as `client create` does
	Scope    string `json:"scope"`
	Audience string `json:"audience"`
	Note     string `json:"note"`
}

// shownAPI is an API behind the gateway, with commands to paste.
type shownAPI struct {
	Name     string     `json:"name"`
	URL      string     `json:"url"`
	Audience string     `json:"audience"`
	Keys     []shownKey `json:"api_keys,omitempty"`
	Try      []shownTry `json:"try"`
}

// shownKey is an API key that an API takes, by its role and within its tenant. The key is
// plain on purpose, as the secret of a client.
type shownKey struct {
	Label  string `json:"label"`
	Role   string `json:"role"`
	Tenant string `json:"tenant_id"`
	Key    string `json:"key"`
}

// shownTry is a command for bash that prints what came back, and last the status that its
// caption promises.
type shownTry struct {
	Caption string `json:"caption"`
	Command string `json:"command"`
	Status  int    `json:"status"`
	Says    string `json:"says,omitempty"` // what stands in the answer, where the status does not tell
}

// world is what runs, and where.
type world struct {
	names   []string // of the issuers, in the order of their ports
	port    int      // of the first
	data    string
	objects declare.Objects
	secrets map[string]oauth.Secret // by key of the client
	keys    []sampleKey
}

// describe gathers what is shown.
func describe(w world) ([]shownIssuer, error) {
	list := make([]shownIssuer, 0, len(w.names))
	for n, name := range w.names {
		for _, i := range w.objects.Issuers() {
			if i.Name != name {
				continue
			}
			d, ok := dialect.Builtin().Get(i.Dialect)
			if !ok {
				return nil, fmt.Errorf("there is no dialect %q", i.Dialect)
			}
			shown := shownIssuer{
				Name: i.Name, Dialect: i.Dialect, Issuer: i.URL, TokenURL: i.URL + d.Wire.Path, JWKSURL: i.URL + domain.JWKSPath,
				APIs: []shownAPI{}, title: d.Title, dialect: d, Clients: w.clients(d, i.Name),
			}
			if err := w.apis(&shown, w.port+n); err != nil {
				return nil, err
			}
			list = append(list, shown)
		}
	}
	return list, nil
}

func (w world) clients(d *dialect.Dialect, issuer string) []shownClient {
	var list []shownClient
	for _, c := range w.objects.Clients() {
		if c.Issuer != issuer {
			continue
		}
		list = append(list, shownClient{
			Name: c.Name, ID: c.ID, Secret: string(w.secrets[c.Key()]), Scope: scopeToSend(d, &c), Audience: c.Audiences[0], Note: c.Note,
		})
	}
	return list
}

// scopeToSend is the scope that a request of the client names: a binding where the dialect
// has them, and what was assigned to it.
func scopeToSend(d *dialect.Dialect, c *domain.Client) string {
	scope := make(oauth.Scope, 0, len(c.Scopes)+1)
	for i := range d.Server.Scope.Bindings {
		b := &d.Server.Scope.Bindings[i]
		if ids := c.ResourceScope[b.Kind].IDs; len(ids) > 0 {
			scope = append(scope, b.Token(ids[0]))
		}
	}
	return append(scope, c.Scopes...).String()
}

// apis adds the issuer's APIs, each with the commands to try.
func (w world) apis(i *shownIssuer, port int) error {
	for _, a := range w.objects.APIs() {
		if a.Issuers[0] != i.Name {
			continue
		}
		tries, err := readTries(i.Name, port)
		if err != nil {
			return err
		}
		shown := shownAPI{Name: a.Name, URL: i.Issuer + a.Path, Audience: a.Audience, Keys: w.keysOf(&a)}
		if a.GraphQL != nil {
			shown.URL += a.GraphQL.Path
		}
		for _, t := range tries {
			if t.API != a.Name && (t.API != "" || len(i.APIs) > 0) {
				continue
			}
			command, err := t.command(i, &shown, w.data)
			if err != nil {
				return err
			}
			shown.Try = append(shown.Try, shownTry{Caption: t.Caption, Command: command, Status: t.Status, Says: t.Says})
		}
		i.APIs = append(i.APIs, shown)
	}
	return nil
}

// keysOf are the API keys that the API takes.
func (w world) keysOf(a *domain.API) (list []shownKey) {
	for _, k := range w.keys {
		if a.APIKeys && k.Audience == a.Audience {
			list = append(list, shownKey{k.Label, k.Role, k.Tenant, string(k.text)})
		}
	}
	return list
}
