package main

import (
	"context"
	"strconv"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type tierCommand struct {
	Put    tierPutCommand    `cmd:"" help:"Make a tier, or change it."`
	List   tierListCommand   `cmd:"" help:"List tiers, the built-in ones too."`
	Show   tierShowCommand   `cmd:"" help:"Show one tier."`
	Delete tierDeleteCommand `cmd:"" help:"Delete a tier that no client has and no API names; a built-in one comes back in its place."`
}

// Help says what the name of a built-in tier does.
func (tierCommand) Help() string {
	return "One that is made under the name of a built-in one takes its place."
}

type tierListCommand struct{ listFlags }

// Run prints a line for each tier.
func (c tierListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListTiers(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"NAME", "CALLS", "FROM"}, func(t *admin.Tier) []string {
		return []string{t.Name, tierCalls(t), tierFrom(t)}
	})
}

func tierCalls(t *admin.Tier) string {
	if t.Unlimited {
		return "unlimited"
	}
	return perMinute(t.PerMinute)
}

// tierFrom is where a tier comes from: its file, where it was applied from one.
func tierFrom(t *admin.Tier) string {
	if t.Version == 0 {
		return "built in"
	}
	return dash(t.Origin)
}

type tierShowCommand struct{ oneObject }

// Run prints a tier.
func (c tierShowCommand) Run(ctx context.Context, s *streams) error {
	t, err := c.dial().GetTier(ctx, c.Name)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, t, tierRows)
}

func tierRows(t *admin.Tier) [][]string {
	rows := [][]string{{"name", t.Name}, {"calls", tierCalls(t)}, {"from", tierFrom(t)}}
	if t.Version != 0 {
		rows = append(rows, []string{"version", strconv.FormatInt(t.Version, 10)})
	}
	return rows
}

type tierDeleteCommand struct{ oneObject }

// Run deletes a tier.
func (c tierDeleteCommand) Run(ctx context.Context, s *streams) error {
	return removal[admin.Tier]{
		get: (*admin.Conn).GetTier, remove: (*admin.Conn).DeleteTier,
		what: func(t *admin.Tier) string {
			if built, ok := domain.BuiltinTier(t.Name); ok {
				return "tier " + t.Name + " is deleted; the built-in one holds again: " + tierCalls(&admin.Tier{Tier: built})
			}
			return "tier " + t.Name + " is deleted"
		},
	}.run(ctx, s, c.dial(), c.Name, c.JSON)
}
