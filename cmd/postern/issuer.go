package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
)

type issuerCommand struct {
	Create issuerCreateCommand `cmd:"" help:"Make an issuer."`
	Update issuerUpdateCommand `cmd:"" help:"Change what the flags name, and nothing else."`
	List   issuerListCommand   `cmd:"" help:"List issuers."`
	Show   issuerShowCommand   `cmd:"" help:"Show one issuer."`
	Delete issuerDeleteCommand `cmd:"" help:"Delete an issuer that has no clients, with its keys."`
}

type issuerListCommand struct{ listFlags }

// Run prints a line for each issuer.
func (c issuerListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListIssuers(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"NAME", "ENVIRONMENT", "DIALECT", "ALGORITHM", "URL"}, func(i *admin.Issuer) []string {
		return []string{i.Name, i.Environment, i.Dialect, i.Algorithm, i.URL}
	})
}

type issuerShowCommand struct{ oneObject }

// Run prints all there is to know of an issuer but its keys.
func (c issuerShowCommand) Run(ctx context.Context, s *streams) error {
	i, err := c.dial().GetIssuer(ctx, c.Name)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, i, issuerRows)
}

func issuerRows(i *admin.Issuer) [][]string {
	var rows [][]string
	field(&rows, "name", i.Name)
	field(&rows, "url", i.URL)
	field(&rows, "hosts", strings.Join(i.Hosts, " "))
	field(&rows, "environment", i.Environment)
	field(&rows, "dialect", i.Dialect)
	field(&rows, "algorithm", i.Algorithm)
	field(&rows, "imported secrets", yes(i.ImportedSecrets))
	field(&rows, "management", yes(i.Management))
	field(&rows, "key max age", i.KeyMaxAge.Duration().String())
	field(&rows, "scopes", i.Scopes.String())
	field(&rows, "file", i.Origin)
	field(&rows, "version", strconv.FormatInt(i.Version, 10))
	return rows
}

type issuerDeleteCommand struct{ oneObject }

// Run deletes an issuer.
func (c issuerDeleteCommand) Run(ctx context.Context, s *streams) error {
	return removal[admin.Issuer]{
		get: (*admin.Conn).GetIssuer, remove: (*admin.Conn).DeleteIssuer,
		what: func(i *admin.Issuer) string { return "issuer " + i.Name + " is deleted, and with it its keys" },
	}.run(ctx, s, c.dial(), c.Name, c.JSON)
}
