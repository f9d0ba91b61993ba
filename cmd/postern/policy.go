package main

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/postern-dev/postern/internal/admin"
)

type policyCommand struct {
	Create policyCreateCommand `cmd:"" help:"Make a policy."`
	Update policyUpdateCommand `cmd:"" help:"Change what the flags name, and nothing else."`
	List   policyListCommand   `cmd:"" help:"List policies."`
	Show   policyShowCommand   `cmd:"" help:"Show a policy and its actions."`
	Delete policyDeleteCommand `cmd:"" help:"Delete a policy that no client holds."`
}

type policyListCommand struct{ listFlags }

// Run prints a line for each policy.
func (c policyListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListPolicies(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"NAME", "ACTIONS", "LABEL"}, func(p *admin.Policy) []string {
		return []string{p.Name, strconv.Itoa(len(p.Actions)), p.Label}
	})
}

type policyShowCommand struct{ oneObject }

// Run prints a policy.
func (c policyShowCommand) Run(ctx context.Context, s *streams) error {
	p, err := c.dial().GetPolicy(ctx, c.Name)
	if err != nil {
		return err
	}
	if err := printOne(s, c.JSON, p, policyRows); err != nil || c.JSON {
		return err
	}
	rows := [][]string{{""}, {"ACTION", "WHAT IT LETS A CLIENT DO"}}
	for _, action := range slices.Sorted(maps.Keys(p.Actions)) {
		rows = append(rows, []string{action, p.Actions[action]})
	}
	return s.table(rows)
}

func policyRows(p *admin.Policy) [][]string {
	var rows [][]string
	field(&rows, "name", p.Name)
	field(&rows, "label", p.Label)
	field(&rows, "file", p.Origin)
	field(&rows, "version", strconv.FormatInt(p.Version, 10))
	return rows
}

type policyDeleteCommand struct{ oneObject }

// Run deletes a policy.
func (c policyDeleteCommand) Run(ctx context.Context, s *streams) error {
	return removal[admin.Policy]{
		get: (*admin.Conn).GetPolicy, remove: (*admin.Conn).DeletePolicy,
		what: func(p *admin.Policy) string { return "policy " + p.Name + " is deleted" },
	}.run(ctx, s, c.dial(), c.Name, c.JSON)
}
