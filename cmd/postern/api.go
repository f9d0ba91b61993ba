package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
)

type apiCommand struct {
	List   apiListCommand   `cmd:"" help:"List APIs."`
	Show   apiShowCommand   `cmd:"" help:"Show an API, and who may call what of it."`
	Delete apiDeleteCommand `cmd:"" help:"Delete an API: the gateway no longer stands before it."`
}

// Help says how APIs are made.
func (apiCommand) Help() string {
	return "They are made and changed in files: `postern apply -f DIR` (docs/objects.md)."
}

type apiListCommand struct{ listFlags }

// Run prints a line for each API.
func (c apiListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListAPIs(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"NAME", "ROUTES", "ISSUERS", "AUDIENCE"}, func(a *admin.API) []string {
		return []string{a.Name, strconv.Itoa(len(a.Routes)), strings.Join(a.Issuers, " "), a.Audience}
	})
}

type apiShowCommand struct{ oneObject }

// Run prints an API and its routes.
func (c apiShowCommand) Run(ctx context.Context, s *streams) error {
	a, err := c.dial().GetAPI(ctx, c.Name)
	if err != nil {
		return err
	}
	if err := printOne(s, c.JSON, a, apiRows); err != nil || c.JSON {
		return err
	}
	if len(a.Routes) == 0 {
		if a.GraphQL == nil {
			s.say("it has no routes, so nobody can call it")
		}
		return nil
	}
	if err := s.table(append([][]string{{""}}, routeRows(&a)...)); err != nil {
		return err
	}
	if len(a.Roles) > 0 {
		s.hint("what users and API keys may do hangs on their role; scopes are asked of clients only")
	}
	if promised(a.Routes) {
		s.hint("that a parameter is a child of another one is the promise of the API: it must see to that, and nobody else checks it")
	}
	return nil
}

func apiRows(a *admin.API) [][]string {
	var rows [][]string
	field(&rows, "name", a.Name)
	field(&rows, "label", a.Label)
	field(&rows, "audience", a.Audience)
	field(&rows, "issuers", strings.Join(a.Issuers, " "))
	field(&rows, "hosts", strings.Join(a.Hosts, " "))
	field(&rows, "path", a.Path)
	field(&rows, "upstream", a.Upstream)
	if a.AuditLog != nil {
		field(&rows, "answered by", "Postern itself, from the audit trail")
	}
	credentialRows(&rows, a)
	if g := a.GraphQL; g != nil {
		field(&rows, "graphql", fmt.Sprintf("%s, a schema of %d bytes and %s beside it", g.Path, len(g.Schema), plural(len(g.Rules), "rule")))
		field(&rows, "responses", string(g.Responses))
	}
	for _, tier := range slices.Sorted(maps.Keys(a.RateLimits)) {
		field(&rows, "rate limit "+tier, perMinute(a.RateLimits[tier]))
	}
	field(&rows, "limit headers", yes(a.RateLimitHeaders))
	field(&rows, "forward token", yes(a.ForwardToken))
	field(&rows, "identity token", yes(a.IdentityToken))
	field(&rows, "max body", strconv.FormatInt(a.MaxBody, 10)+" bytes")
	field(&rows, "timeouts", "connect "+a.Timeouts.Connect.Duration().String()+", answer "+a.Timeouts.Answer.Duration().String()+", idle "+a.Timeouts.Idle.Duration().String())
	if a.ServeStale != 0 {
		field(&rows, "serve stale", a.ServeStale.Duration().String())
	}
	field(&rows, "file", a.Origin)
	field(&rows, "version", strconv.FormatInt(a.Version, 10))
	return rows
}

type apiDeleteCommand struct{ oneObject }

// Run deletes an API.
func (c apiDeleteCommand) Run(ctx context.Context, s *streams) error {
	return removal[admin.API]{
		get: (*admin.Conn).GetAPI, remove: (*admin.Conn).DeleteAPI,
		what: func(a *admin.API) string {
			return "API " + a.Name + " is deleted: the gateway passes no more calls to it"
		},
	}.run(ctx, s, c.dial(), c.Name, c.JSON)
}
