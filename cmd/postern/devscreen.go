package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/postern-dev/postern/oauth/dialect"
)

// Asked for by the command that is to be refused.
const (
	otherScope    = "not:assigned"
	otherAudience = "urn:somebody:else"
)

// screen prints one short path and the table of issuers, or all there is of one issuer.
func screen(s *streams, list []shownIssuer, c devCommand) {
	first := list[0]
	for _, i := range list {
		if i.Name == c.Show {
			first = i
		}
	}
	client := first.Clients[0]
	s.data("Postern is running. Issuer %s, client %s: %s.\n", first.Name, client.Name, client.Note)
	for n, t := range steps(first, c.Show == "") {
		s.data("%d. %s:\n\n%s\n", n+1, t.Caption, indent(t.Command))
	}
	if c.Show != "" {
		s.data("All clients of %s:\n\n%s", first.Name, clientTable(first))
		for i := range first.APIs {
			if a := &first.APIs[i]; len(a.Keys) > 0 {
				s.data("API keys that %s takes beside their tokens, by role (%s api show %s --data %s):\n\n%s", a.Name, self(), a.Name, word(absolute(c.Data)), keyTable(a))
			}
		}
		return
	}
	s.data("%d issuers, each with a contract of its own (postern dev --show NAME prints the commands of one):\n\n%s", len(list), issuerTable(list))
	s.data("Health and metrics: http://%s/readyz http://%s/metrics   Admin socket: %s", c.AdminListen, c.AdminListen, filepath.Join(c.Data, "admin.sock"))
	s.data("Admin API, to read: http://%s/api/admin/docs", c.AdminListen)
	s.data("Secrets are new at every start. Ctrl-C stops it.\n")
}

// shortTries is how many commands of an API the short path has: one that works, and one for
// each way to be refused.
const shortTries = 4

// steps are the commands of the screen, of which short leaves some out: to get a token, to
// look into it, to be refused one, and to call the API behind the gateway.
func steps(i shownIssuer, short bool) []shownTry {
	client := i.Clients[0]
	scope, audience := required(i.dialect, client)
	get := i.dialect.TokenCommand(i.TokenURL, client.ID, client.Secret, scope, audience)
	list := []shownTry{{Caption: "Get a token", Command: get}}
	if !short || len(i.APIs) == 0 {
		reason := "it asks for a scope that the client was not given"
		if audience != "" {
			audience, reason = otherAudience, "it asks for an API that the client was not given"
		} else {
			scope = otherScope
		}
		refused := i.dialect.TokenCommand(i.TokenURL, client.ID, client.Secret, scope, audience)
		list = append(list,
			shownTry{Caption: "See what is in it", Command: get + " \\\n  | " + self() + " token inspect --jwks " + i.JWKSURL},
			shownTry{Caption: "Be refused one, and told why (" + reason + ")", Command: refused + " \\\n  -w '\\nHTTP %{http_code}\\n'"})
	}
	for _, a := range i.APIs {
		tries := a.Try
		if short {
			tries = tries[:min(shortTries, len(tries))]
		}
		list = append(list, tries...)
	}
	return list
}

// required is what a request of the client must name: a first command has nothing else in it.
func required(d *dialect.Dialect, c shownClient) (scope, audience string) {
	if d.Wire.Scope.Presence == dialect.Required {
		scope = c.Scope
	}
	if d.Wire.Audience.Presence == dialect.Required {
		audience = c.Audience
	}
	return scope, audience
}

func indent(text string) string {
	return "   " + string(bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\n   ")))
}

func issuerTable(list []shownIssuer) string {
	return table(func(w *tabwriter.Writer) {
		for _, i := range list {
			_, _ = fmt.Fprintf(w, "   %s\t%s\t%s\n", i.Name, i.TokenURL, i.title) // into memory
		}
	})
}

func clientTable(i shownIssuer) string {
	return table(func(w *tabwriter.Writer) {
		for _, c := range i.Clients {
			_, _ = fmt.Fprintf(w, "   %s\t%s\t%s\t%s\n", c.Name, c.ID, c.Secret, c.Note) // into memory
		}
	})
}

func keyTable(a *shownAPI) string {
	return table(func(w *tabwriter.Writer) {
		for _, k := range a.Keys {
			_, _ = fmt.Fprintf(w, "   %s\t%s\tof tenant %s\t%s\n", k.Label, k.Role, k.Tenant, k.Key) // into memory
		}
	})
}

func table(rows func(*tabwriter.Writer)) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	rows(w)
	_ = w.Flush() // into memory
	return b.String()
}

// writeJSON writes what is shown for programs. The file holds secrets: it is made anew with
// mode 0600, whatever was there.
func writeJSON(name string, list []shownIssuer) error {
	data, err := json.MarshalIndent(struct {
		Issuers []shownIssuer `json:"issuers"`
	}{list}, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(name, append(data, '\n'))
}
