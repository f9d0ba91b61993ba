package main

import (
	"context"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
)

// event prints what was decided about a request.
func (c explainCommand) event(ctx context.Context, s *streams) error {
	d, err := c.dial().ExplainEvent(ctx, c.Event)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, d, decisionRows)
}

func decisionRows(d *admin.Decision) [][]string {
	e := &d.Event
	rows := [][]string{{"event", e.ID}, {"time", moment(&e.CreatedAt)}, {"decision", d.Why}}
	for _, f := range [][2]string{
		{"client", e.ClientID}, {"actor", other(e.Actor, e.ClientID)}, {"issuer", e.Issuer}, {"tenant", e.TenantID}, {"about", e.Resource}, {"scope", e.Scope}, {"secret", e.SecretID},
		{"source", e.Source}, {"correlation", e.Correlation},
	} {
		field(&rows, f[0], audit.OneLine(f[1]))
	}
	if len(e.Details) > 0 {
		field(&rows, "product says", audit.OneLine(string(e.Details)))
	}
	var lacks []string
	for _, l := range d.Lacks {
		lacks = append(lacks, lackText(l))
	}
	block(&rows, "lacks now", lacks)
	if d.Grant != nil {
		block(&rows, "grant", grantLines(d.Grant))
	}
	block(&rows, "unknown", d.Unknown)
	return rows
}

// other is the text, unless it says the same as another one.
func other(text, than string) string {
	if text == than {
		return ""
	}
	return text
}
