package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type adminCommand struct {
	List    adminListCommand    `cmd:"" help:"List the people who administer."`
	Show    adminShowCommand    `cmd:"" help:"Show one of them."`
	Create  adminCreateCommand  `cmd:"" help:"Let somebody administer, and make the link by which they set a password."`
	Update  adminUpdateCommand  `cmd:"" help:"Change what the flags name, and nothing else."`
	Invite  adminInviteCommand  `cmd:"" help:"Make another link by which somebody sets a password."`
	Delete  adminDeleteCommand  `cmd:"" help:"Let somebody administer no more; their sessions are over."`
	Accept  adminAcceptCommand  `cmd:"" help:"Set a password by a link, which is then worth nothing."`
	Recover adminRecoverCommand `cmd:"" help:"On the server's own machine: make somebody a platform admin again, with a link to set a new password."`
	Whoami  adminWhoamiCommand  `cmd:"" help:"Tell who the server takes us for."`
}

type adminListCommand struct{ listFlags }

// Run prints a line for each person.
func (c adminListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListPeople(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"NAME", "ROLE", "STATUS", "TENANTS", "ISSUERS", "ID"}, func(p *admin.Person) []string {
		return []string{p.Name, string(p.Role), string(p.Status), reachText(p.AllTenants, p.Tenants), reachText(p.AllIssuers, p.Issuers), p.ID}
	})
}

// onePerson is what the commands about one person have in common.
type onePerson struct {
	namedPerson
	JSON bool `name:"json" help:"Print the person as JSON."`
}

// namedPerson is whom a command is about.
type namedPerson struct {
	remote
	Name string `arg:"" help:"The person's name, or id."`
}

// find finds the person.
func (c namedPerson) find(ctx context.Context) (*admin.Conn, admin.Person, error) {
	conn := c.dial()
	list, err := conn.ListPeople(ctx)
	if err != nil {
		return nil, admin.Person{}, err
	}
	for _, p := range list {
		if p.ID == c.Name || strings.EqualFold(p.Name, c.Name) {
			return conn, p, nil
		}
	}
	return nil, admin.Person{}, hinted{fmt.Errorf("nobody who administers is called %q", c.Name), "`postern admin list` names them"}
}

type adminShowCommand struct{ onePerson }

// Run prints a person.
func (c adminShowCommand) Run(ctx context.Context, s *streams) error {
	_, p, err := c.find(ctx)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, p, personRows)
}

func personRows(p *admin.Person) [][]string {
	var rows [][]string
	field(&rows, "id", p.ID)
	field(&rows, "name", p.Name)
	field(&rows, "role", string(p.Role))
	reachRows(&rows, p.Reach)
	field(&rows, "status", string(p.Status))
	field(&rows, "subject", p.Subject)
	field(&rows, "created", moment(&p.Created))
	field(&rows, "password", orElse(moment(p.Changed), "none"))
	field(&rows, "version", strconv.FormatInt(p.Version, 10))
	return rows
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

type adminCreateCommand struct {
	remote
	linkFile
	reachFlags
	Name     string      `arg:"" help:"The name they sign in with, as in ann@example.com."`
	Role     domain.Role `name:"role" required:"" placeholder:"ROLE" help:"platform-admin, integration-manager, tenant-developer or auditor."`
	Subject  string      `name:"subject" placeholder:"SUB" help:"Who they are at the OpenID provider."`
	NoInvite bool        `name:"no-invite" help:"Make no link: they sign in at the OpenID provider."`
}

// Run makes a person, and a link.
func (c adminCreateCommand) Run(ctx context.Context, s *streams) error {
	p := patcher{patch: admin.Patch{}}
	c.reachFlags.patch(&p)
	n := admin.NewPerson{}
	if err := errors.Join(p.err, p.into(&n)); err != nil {
		return err
	}
	n.Name, n.Role, n.Subject = c.Name, c.Role, c.Subject
	if n.Role == domain.PlatformAdmin {
		n.AllTenants, n.AllIssuers = true, true
	}
	conn := c.dial()
	create := func() (admin.Person, error) {
		made, err := conn.CreatePerson(ctx, n)
		if err == nil {
			s.say("%s administers as %s", made.Name, made.Role)
		}
		return made, err
	}
	if c.NoInvite {
		made, err := create()
		if err == nil && c.JSON {
			err = s.json(made)
		}
		return err
	}
	return c.take(s, c.Name, func() (link admin.NewLink, err error) {
		made, err := create()
		if err != nil {
			return link, err
		}
		if link, err = conn.InvitePerson(ctx, made.ID); err != nil {
			err = hinted{err, "postern admin invite" + c.flags() + " " + quoted(made.Name)}
		}
		return link, err
	})
}

// into reads the patch into a new object.
func (p *patcher) into(v any) error {
	data, err := json.Marshal(p.patch)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

type adminUpdateCommand struct {
	onePerson
	reachFlags
	Role      *string `name:"role" placeholder:"ROLE" help:"platform-admin, integration-manager, tenant-developer or auditor."`
	Status    *string `name:"status" placeholder:"STATUS" help:"enabled or disabled; who is disabled is signed out."`
	Subject   *string `name:"subject" placeholder:"SUB" help:"Who they are at the OpenID provider."`
	IfVersion int64   `name:"if-version" placeholder:"N" help:"Only while the person is at this version (see admin show)."`
}

// Run sends the flags that were given.
func (c adminUpdateCommand) Run(ctx context.Context, s *streams) error {
	p := patcher{patch: admin.Patch{}}
	c.reachFlags.patch(&p)
	p.text("role", c.Role)
	p.text("status", c.Status)
	p.text("subject", c.Subject)
	patch, err := given(&p, "admin update", "--role auditor")
	if err != nil {
		return err
	}
	conn, old, err := c.find(ctx)
	if err != nil {
		return err
	}
	done, err := conn.UpdatePerson(ctx, old.ID, c.IfVersion, patch)
	return made(s, c.JSON, done, err, "%s administers as %s, %s", done.Name, done.Role, done.Status)
}

type adminInviteCommand struct {
	namedPerson
	linkFile
}

// Run makes a link.
func (c adminInviteCommand) Run(ctx context.Context, s *streams) error {
	conn, p, err := c.find(ctx)
	if err != nil {
		return err
	}
	return c.take(s, p.Name, func() (admin.NewLink, error) { return conn.InvitePerson(ctx, p.ID) })
}

type adminDeleteCommand struct{ onePerson }

// Run deletes a person.
func (c adminDeleteCommand) Run(ctx context.Context, s *streams) error {
	conn, p, err := c.find(ctx)
	if err != nil {
		return err
	}
	if err := conn.DeletePerson(ctx, p.ID, p.Version); err != nil {
		return err
	}
	s.say("%s administers no more", p.Name)
	if c.JSON {
		return s.json(p)
	}
	return nil
}

type adminWhoamiCommand struct {
	remote
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints who the server takes us for.
func (c adminWhoamiCommand) Run(ctx context.Context, s *streams) error {
	who, err := c.dial().WhoAmI(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(who)
	}
	var rows [][]string
	field(&rows, "actor", string(who.Actor))
	field(&rows, "name", who.Name)
	field(&rows, "role", string(who.Role))
	reachRows(&rows, who.Reach)
	field(&rows, "may change the platform", orElse(yes(who.Platform), "no"))
	return s.table(rows)
}
