package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/audit"
)

type auditAccessCommand struct {
	remote
	At       string `name:"at" required:"" placeholder:"TIME" help:"The time: 2026-11-23T12:00:00Z, 2h (ago), yesterday, now."`
	Client   string `name:"client" placeholder:"ISSUER/ID" help:"What this client could do then."`
	Resource string `name:"resource" placeholder:"KIND:ID" help:"Which clients could touch this resource then, where, and by which actions."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// Help says what the answer is.
func (auditAccessCommand) Help() string {
	return "It is read from the history of changes: what the client's row, its tenant, its policies and the APIs said then, judged by the code that nodes decide with. A token may have said less than its " +
		"client could do. Of a GraphQL endpoint it tells the actions that its schema asks for; which fields they open, the schema says."
}

// Run prints who could do what.
func (c auditAccessCommand) Run(ctx context.Context, s *streams) error {
	at, err := when("--at", c.At, time.Now())
	if err != nil {
		return err
	}
	switch {
	case (c.Client == "") == (c.Resource == ""):
		return misuse{errors.New("name a client with --client, or a resource with --resource")}
	case c.Client != "":
		issuer, id, err := two("--client", c.Client, "/", "ISSUER/ID")
		if err != nil {
			return err
		}
		a, err := c.dial().AccessOfClient(ctx, at, issuer, id)
		if err != nil {
			return err
		}
		return printOne(s, c.JSON, a, clientAccessRows)
	}
	kind, id, err := two("--resource", c.Resource, ":", "KIND:ID, as in study:study_001")
	if err != nil {
		return err
	}
	a, err := c.dial().AccessToResource(ctx, at, kind, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(a)
	}
	if len(a.Clients) == 0 {
		s.say("no client could touch %s %s at %s", kind, id, moment(&a.Asked))
		return nil
	}
	return s.list(resourceAccessRows(&a))
}

func clientAccessRows(a *audit.ClientAccess) [][]string {
	rows := [][]string{{"client", a.Issuer + "/" + a.ID}, {"name", audit.OneLine(a.Name)}, {"at", a.Asked.Format(time.RFC3339)}}
	standing := string(a.Standing)
	if a.Standing != audit.StandingEnabled {
		standing += ": it could do nothing; below is what it held"
	}
	rows = append(rows, []string{"standing", standing},
		[]string{"since", fmt.Sprintf("%s, %s by %s (change %d)", a.ByChange.Time.Format(time.RFC3339), a.ByChange.Action, a.ByChange.Actor, a.ByChange.Seq)})
	switch {
	case a.PlatformWide:
		rows = append(rows, []string{"tenant", "none: platform-wide"})
	default:
		rows = append(rows, []string{"tenant", strings.TrimSpace(a.Tenant + " " + audit.OneLine(a.TenantLabel))})
	}
	var secrets []string
	for _, one := range a.Secrets {
		secrets = append(secrets, secretText(one))
	}
	block(&rows, "secrets", noneIf(secrets))
	block(&rows, "audiences", noneIf(a.Audiences))
	rows = append(rows, []string{"scopes", orNothing(a.Scopes)})
	block(&rows, "policies", noneIf(policyLines(a.Policies)))
	var places []string
	for _, kind := range a.Resources.Kinds() {
		places = append(places, kind+": "+resourceText(a.Resources[kind]))
	}
	block(&rows, "resources", noneIf(places))
	rows = append(rows, []string{"tier", a.Tier + ", " + minuteText(a.PerMinute)})
	var apis []string
	for _, api := range a.APIs {
		apis = append(apis, api.Name+" ("+minuteText(api.PerMinute)+")")
		for _, r := range api.Routes {
			apis = append(apis, "  "+r)
		}
		if api.GraphQL {
			apis = append(apis, "  GraphQL, by: "+actionNames(api.Actions))
		}
	}
	block(&rows, "APIs", noneIf(apis))
	return rows
}

func policyLines(list []audit.PolicyAccess) (lines []string) {
	for _, p := range list {
		switch {
		case p.Absent:
			lines = append(lines, p.Name+": there was none of that name")
			continue
		case p.Outside:
			lines = append(lines, p.Name+": above the ceiling of its tenant, so it brought nothing")
			continue
		}
		lines = append(lines, p.Name)
		for _, a := range p.Actions {
			lines = append(lines, "  "+a.Name+": "+audit.OneLine(a.Description))
		}
	}
	return lines
}

func noneIf(list []string) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}

func minuteText(n int64) string {
	if n == 0 {
		return "unlimited"
	}
	return perMinute(n)
}

func actionNames(list []audit.ActionAccess) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.Name
	}
	return orNothing(names)
}

func resourceAccessRows(a *audit.ResourceAccess) [][]string {
	rows := [][]string{{"CLIENT", "NAME", "API", "ACTIONS", "BY"}}
	for _, c := range a.Clients {
		for _, api := range c.APIs {
			by := append([]string{}, api.Routes...)
			if api.GraphQL {
				by = append(by, "GraphQL")
			}
			rows = append(rows, []string{c.Issuer + "/" + c.ID, audit.OneLine(c.Name), api.Name, actionNames(api.Actions), strings.Join(by, ", ")})
		}
	}
	return rows
}
