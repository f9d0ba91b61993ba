package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// made says that an object is there, and prints it for programs.
func made[T any](s *streams, asJSON bool, v T, err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	s.say(format, args...)
	if asJSON {
		return s.json(v)
	}
	return nil
}

// given is the patch of an update, which must change something.
func given(p *patcher, command, example string) (admin.Patch, error) {
	if p.err == nil && len(p.patch) == 0 {
		return nil, misuse{hinted{errors.New("there is nothing to change"), fmt.Sprintf("name at least one flag, as in %s; `postern %s --help` lists them", example, command)}}
	}
	return p.patch, p.err
}

// newObject is what the commands that make an object have in common.
type newObject struct {
	remote
	Name string `arg:"" help:"Its name, which never changes."`
	JSON bool   `name:"json" help:"Print it as JSON."`
}

// changedObject is what the commands that change one have in common.
type changedObject struct {
	oneObject
	IfVersion int64 `name:"if-version" placeholder:"N" help:"Only while it is at this version."`
}

type tenantCreateCommand struct {
	remote
	tenantFlags
	ID   string `name:"id" placeholder:"UUID" help:"Its id; left out: a random one."`
	JSON bool   `name:"json" help:"Print the tenant as JSON."`
}

// Run makes a tenant, and prints its id.
func (c tenantCreateCommand) Run(ctx context.Context, s *streams) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	if c.NoCeiling {
		delete(patch, "ceiling")
	} else if _, err := c.ceiling(patch, &admin.Tenant{Tenant: domain.Tenant{Ceiling: &domain.Ceiling{}}}); err != nil {
		return err
	}
	n := admin.NewTenant{}
	if err := (&patcher{patch: patch}).into(&n); err != nil {
		return err
	}
	if c.ID == "" {
		c.ID = domain.NewUUID()
	}
	t, err := c.dial().PutTenant(ctx, c.ID, 0, n)
	if err := made(s, c.JSON, t, err, "tenant %s (%s) is made", t.ID, t.Label); err != nil || c.JSON {
		return err
	}
	return s.table([][]string{{"id", t.ID}})
}

// policyFlags are what an administrator may choose of a policy.
type policyFlags struct {
	Label  *string  `name:"label" placeholder:"TEXT" help:"What people call it."`
	Action []string `name:"action" sep:"none" placeholder:"ACTION=TEXT" help:"An action, as in studies:read, and one line that says what it lets a client do; repeat for more. All that it has."`
}

func (f policyFlags) patch() (*patcher, error) {
	p := &patcher{patch: admin.Patch{}}
	p.text("label", f.Label)
	if len(f.Action) == 0 {
		return p, nil
	}
	actions := make(map[string]string)
	for _, text := range f.Action {
		action, what, ok := strings.Cut(text, "=")
		if !ok || action == "" {
			return nil, misuse{fmt.Errorf("--action: %q is not ACTION=TEXT, as in 'studies:read=See studies and their sites'", text)}
		}
		actions[action] = what
	}
	p.set("actions", actions)
	return p, nil
}

type policyCreateCommand struct {
	newObject
	policyFlags
}

// Run makes a policy.
func (c policyCreateCommand) Run(ctx context.Context, s *streams) error {
	p, err := c.patch()
	if err != nil {
		return err
	}
	n := admin.NewPolicy{}
	if err := errors.Join(p.err, p.into(&n)); err != nil {
		return err
	}
	v, err := c.dial().PutPolicy(ctx, c.Name, 0, n)
	return made(s, c.JSON, v, err, "policy %s is at version %d", v.Name, v.Version)
}

type policyUpdateCommand struct {
	changedObject
	policyFlags
}

// Run changes a policy.
func (c policyUpdateCommand) Run(ctx context.Context, s *streams) error {
	p, err := c.patch()
	if err != nil {
		return err
	}
	patch, err := given(p, "policy update", "--action 'studies:read=See studies'")
	if err != nil {
		return err
	}
	v, err := c.dial().UpdatePolicy(ctx, c.Name, c.IfVersion, patch)
	return made(s, c.JSON, v, err, "policy %s is at version %d", v.Name, v.Version)
}

// tierFlags are what an administrator may choose of a tier.
type tierFlags struct {
	PerMinute int64 `name:"per-minute" xor:"rate" required:"" placeholder:"N" help:"Calls in each calendar minute."`
	Unlimited bool  `name:"unlimited" xor:"rate" required:"" help:"Instead of --per-minute."`
}

type tierPutCommand struct {
	newObject
	tierFlags
}

// Run makes a tier, or changes it.
func (c tierPutCommand) Run(ctx context.Context, s *streams) error {
	v, err := c.dial().PutTier(ctx, c.Name, 0, admin.NewTier{PerMinute: c.PerMinute, Unlimited: c.Unlimited})
	return made(s, c.JSON, v, err, "tier %s is %s", v.Name, tierCalls(&v))
}

// issuerFlags are what an administrator may choose of an issuer.
type issuerFlags struct {
	URL             *string  `name:"url" placeholder:"URL" help:"What its tokens have as iss; its path is the prefix of all endpoints."`
	Host            []string `name:"host" sep:"none" placeholder:"HOST" help:"A further host than that of --url; repeat for more. All that it has."`
	Environment     *string  `name:"environment" placeholder:"TEXT" help:"As in stage; left out: prod."`
	Dialect         *string  `name:"dialect" placeholder:"NAME" help:"The contract of its token endpoint (postern dialect list); left out: rfc."`
	Algorithm       *string  `name:"algorithm" placeholder:"ALG" help:"Of access tokens; left out: ES256."`
	ImportedSecrets *bool    `name:"imported-secrets" negatable:"" help:"Secrets of another system may be imported."`
	KeyMaxAge       *string  `name:"key-max-age" placeholder:"TIME" help:"A signing key is replaced at this age; left out: 90d."`
	Scope           []string `name:"scope" sep:"none" placeholder:"SCOPE" help:"A scope that exists here; repeat for more. Left out: any may be assigned."`
	Management      *bool    `name:"management" negatable:"" help:"Its tokens administer Postern, and nothing else takes them."`
}

func (f issuerFlags) patch() (*patcher, error) {
	p := &patcher{patch: admin.Patch{}}
	p.text("url", f.URL)
	p.list("hosts", f.Host)
	p.text("environment", f.Environment)
	p.text("dialect", f.Dialect)
	p.text("algorithm", f.Algorithm)
	p.flag("imported_secrets", f.ImportedSecrets)
	p.list("scopes", f.Scope)
	p.flag("management", f.Management)
	if f.KeyMaxAge != nil {
		seconds, err := domain.ParseSeconds(*f.KeyMaxAge)
		if err != nil {
			return nil, misuse{fmt.Errorf("--key-max-age: %w", err)}
		}
		p.set("key_max_age", seconds)
	}
	return p, nil
}

type issuerCreateCommand struct {
	newObject
	issuerFlags
}

// Run makes an issuer, with its first key.
func (c issuerCreateCommand) Run(ctx context.Context, s *streams) error {
	p, err := c.patch()
	if err != nil {
		return err
	}
	n := admin.NewIssuer{}
	if err := errors.Join(p.err, p.into(&n)); err != nil {
		return err
	}
	v, err := c.dial().PutIssuer(ctx, c.Name, 0, n)
	return made(s, c.JSON, v, err, "issuer %s is at version %d", v.Name, v.Version)
}

type issuerUpdateCommand struct {
	changedObject
	issuerFlags
}

// Run changes an issuer.
func (c issuerUpdateCommand) Run(ctx context.Context, s *streams) error {
	p, err := c.patch()
	if err != nil {
		return err
	}
	patch, err := given(p, "issuer update", "--key-max-age 30d")
	if err != nil {
		return err
	}
	v, err := c.dial().UpdateIssuer(ctx, c.Name, c.IfVersion, patch)
	return made(s, c.JSON, v, err, "issuer %s is at version %d", v.Name, v.Version)
}
