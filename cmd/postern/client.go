package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type clientCommand struct {
	Create  clientCreateCommand  `cmd:"" help:"Make a client; its secret is shown once."`
	List    clientListCommand    `cmd:"" help:"List clients."`
	Show    clientShowCommand    `cmd:"" help:"Show one client."`
	Update  clientUpdateCommand  `cmd:"" help:"Change what the flags name, and nothing else."`
	Rotate  clientRotateCommand  `cmd:"" help:"Give a client a second secret, with an overlap; or with --kill one in place of all."`
	Secrets clientSecretsCommand `cmd:"" help:"Tell the secrets of a client, their last use, and whether the old one is safe to retire."`
	Retire  clientRetireCommand  `cmd:"" help:"Take the old secret of a client away, at the end of a rotation."`
	Disable clientDisableCommand `cmd:"" help:"Give a client no more tokens, and end those it has."`
	Enable  clientEnableCommand  `cmd:"" help:"Let a disabled client have tokens again."`
	Delete  clientDeleteCommand  `cmd:"" help:"Delete a client, and end the tokens it has."`
	Import  clientImportCommand  `cmd:"" help:"Take over a client of another system with its secret, read from standard input."`
}

type clientListCommand struct {
	remote
	Issuer string `name:"issuer" placeholder:"NAME" help:"Only those of this issuer."`
	Tenant string `name:"tenant" placeholder:"ID" help:"Only those of this tenant."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run prints a line for each client.
func (c clientListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListClients(ctx, c.Issuer, c.Tenant)
	if err != nil {
		return err
	}
	if c.JSON {
		if list == nil {
			list = []admin.Client{}
		}
		return s.json(list)
	}
	rows := [][]string{{"ID", "ISSUER", "NAME", "STATUS", "TENANT"}}
	for _, one := range list {
		rows = append(rows, []string{one.ID, one.Issuer, one.Name, string(one.Status), tenantOf(&one.Client)})
	}
	return s.list(rows)
}

func tenantOf(c *domain.Client) string {
	if c.PlatformWide {
		return "platform-wide"
	}
	return c.Tenant
}

// oneClient is what the commands about one client have in common.
type oneClient struct {
	remote
	issuerFlag
	ID   string `arg:"" help:"The client's id."`
	JSON bool   `name:"json" help:"Print the client as JSON."`
}

// open finds the server and the issuer.
func (c oneClient) open(ctx context.Context) (*admin.Conn, string, error) {
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	return conn, issuer, err
}

// ask does one thing to the client, or only reads it.
func (c oneClient) ask(ctx context.Context, what func(*admin.Conn, context.Context, string, string) (admin.Client, error)) (admin.Client, error) {
	conn, issuer, err := c.open(ctx)
	if err != nil {
		return admin.Client{}, err
	}
	return what(conn, ctx, issuer, c.ID)
}

// done says what was done, or prints the client for programs.
func (c oneClient) done(s *streams, client admin.Client, what string) error {
	s.say("client %s (%s) of issuer %s %s", client.ID, client.Name, client.Issuer, what)
	if c.JSON {
		return s.json(client)
	}
	return nil
}

type clientShowCommand struct{ oneClient }

// Run prints all there is to know of a client but its secrets.
func (c clientShowCommand) Run(ctx context.Context, s *streams) error {
	client, err := c.ask(ctx, (*admin.Conn).GetClient)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(client)
	}
	return s.table(clientRows(&client))
}

type clientUpdateCommand struct {
	oneClient
	clientFlags
	IfVersion int64 `name:"if-version" placeholder:"N" help:"Only while the client is at this version (see client show)."`
}

// Run sends the flags that were given.
func (c clientUpdateCommand) Run(ctx context.Context, s *streams) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	if len(patch) == 0 {
		return misuse{hinted{fmt.Errorf("there is nothing to change"), "name at least one flag, as in --scope reports:read; `postern client update --help` lists them"}}
	}
	conn, issuer, err := c.open(ctx)
	if err != nil {
		return err
	}
	client, err := conn.UpdateClient(ctx, issuer, c.ID, c.IfVersion, patch)
	if err != nil {
		return err
	}
	return c.done(s, client, "is at version "+strconv.FormatInt(client.Version, 10))
}

type clientDisableCommand struct{ oneClient }

// Run disables a client.
func (c clientDisableCommand) Run(ctx context.Context, s *streams) error {
	client, err := c.ask(ctx, (*admin.Conn).DisableClient)
	if err != nil {
		return err
	}
	err = c.done(s, client, "is disabled: it gets no more tokens, and those it has are dead")
	s.hint(deadHint)
	return err
}

// deadHint is what a dead token is worth at an API that does not ask us.
const deadHint = "an API that checks nothing but the signature takes a dead token until it expires"

type clientEnableCommand struct{ oneClient }

// Run enables a client.
func (c clientEnableCommand) Run(ctx context.Context, s *streams) error {
	client, err := c.ask(ctx, (*admin.Conn).EnableClient)
	if err != nil {
		return err
	}
	return c.done(s, client, "is enabled: it gets tokens again; those of before stay dead")
}

type clientDeleteCommand struct{ oneClient }

// Run deletes a client, and shows once more what it was.
func (c clientDeleteCommand) Run(ctx context.Context, s *streams) error {
	conn, issuer, err := c.open(ctx)
	if err != nil {
		return err
	}
	client, err := conn.GetClient(ctx, issuer, c.ID)
	if err != nil {
		return err
	}
	if err := conn.DeleteClient(ctx, issuer, c.ID); err != nil {
		return err
	}
	err = c.done(s, client, fmt.Sprintf("is deleted, and with it its %s; the tokens it has are dead", plural(len(client.Secrets), "secret")))
	s.hint(deadHint)
	return err
}

func plural(n int, noun string) string { return strconv.Itoa(n) + " " + nouns(n, noun) }

// nouns is the noun without the number.
func nouns(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
