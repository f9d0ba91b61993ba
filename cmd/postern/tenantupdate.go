package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

type tenantUpdateCommand struct {
	oneTenant
	tenantFlags
	IfVersion int64 `name:"if-version" placeholder:"N" help:"Only while the tenant is at this version (see tenant show)."`
}

// tenantFlags are what an administrator may choose of a tenant; what was not given, and
// what is empty, as in clientFlags.
type tenantFlags struct {
	Label         *string  `name:"label" placeholder:"TEXT" help:"What people call it."`
	Endpoint      []string `name:"endpoint" sep:"none" placeholder:"TAG" help:"Routes with this tag are enabled for it; repeat for more. All that it has: what is not named is taken away."`
	Resource      []string `name:"resource" sep:"none" placeholder:"KIND=ID" help:"A resource of its own, or KIND= for none of that kind; repeat for more. All that it has."`
	Host          []string `name:"host" sep:"none" placeholder:"ISSUER=HOST" help:"Where it, and no other tenant, is served; repeat for more. All that it has."`
	CeilingScope  []string `name:"ceiling-scope" sep:"none" placeholder:"SCOPE" help:"Its clients may be given this scope, and none that is not named; repeat for more."`
	CeilingPolicy []string `name:"ceiling-policy" sep:"none" placeholder:"NAME" help:"Its clients may be given this policy, and none that is not named; repeat for more."`
	NoCeiling     bool     `name:"no-ceiling" help:"Its clients may be given anything."`
}

// Run sends the flags that were given. The tenant is looked at first: half of a ceiling
// is put beside the other half that it has.
func (c tenantUpdateCommand) Run(ctx context.Context, s *streams) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	if len(patch) == 0 && len(c.CeilingScope)+len(c.CeilingPolicy) == 0 {
		return misuse{hinted{errors.New("there is nothing to change"), "name at least one flag, as in --endpoint booking-lookup; `postern tenant update --help` lists them"}}
	}
	conn := c.dial()
	old, err := conn.GetTenant(ctx, c.ID)
	if err != nil {
		return err
	}
	version, err := c.ceiling(patch, &old)
	if err != nil {
		return err
	}
	if c.IfVersion != 0 {
		version = c.IfVersion
	}
	done, err := conn.UpdateTenant(ctx, c.ID, version, patch)
	if err != nil {
		return err
	}
	s.say("tenant %s (%s) is at version %d", done.ID, done.Label, done.Version)
	for _, w := range done.Warnings {
		s.say("warning: since this change, %s: %s: %s", w.Object, w.Field, w.Message)
	}
	for _, kind := range slices.Sorted(maps.Keys(old.Resources)) {
		if _, still := done.Resources[kind]; !still {
			s.hint("--resource %s= says that none is its own; a client that has all of a kind that its tenant does not list has all there are", kind)
		}
	}
	if c.JSON {
		return s.json(done)
	}
	return nil
}

// patch holds the flags that were given, under the names of the API, but for those of the
// ceiling.
func (f tenantFlags) patch() (admin.Patch, error) {
	p := patcher{patch: admin.Patch{}}
	p.text("label", f.Label)
	p.list("endpoints", f.Endpoint)
	if err := p.pairs("resources", f.Resource, "--resource: %q is not KIND=ID, as in study=study_001, nor KIND= for none", true); err != nil {
		return nil, err
	}
	if err := p.pairs("hosts", f.Host, "--host: %q is not ISSUER=HOST, as in reports=acme-api.example.com", false); err != nil {
		return nil, err
	}
	if f.NoCeiling {
		p.set("ceiling", nil)
	}
	return p.patch, p.err
}

// ceiling puts what was given of the ceiling into the patch, beside what is there of the
// other half; then the patch is for the version that was looked at.
func (f tenantFlags) ceiling(patch admin.Patch, old *admin.Tenant) (int64, error) {
	if len(f.CeilingScope)+len(f.CeilingPolicy) == 0 {
		return 0, nil
	}
	if f.NoCeiling {
		return 0, misuse{errors.New("--no-ceiling stands beside a ceiling; one or the other")}
	}
	if old.Ceiling == nil && (len(f.CeilingScope) == 0 || len(f.CeilingPolicy) == 0) {
		return 0, misuse{hinted{errors.New("the tenant has no ceiling yet; half of one would take all of the other half from its clients"),
			"name both, --ceiling-scope and --ceiling-policy; an empty one ('') allows none"}}
	}
	now := domain.Ceiling{}
	if old.Ceiling != nil {
		now = *old.Ceiling
	}
	if len(f.CeilingScope) > 0 {
		now.Scopes = oauth.Scope(orNone(f.CeilingScope))
	}
	if len(f.CeilingPolicy) > 0 {
		now.Policies = orNone(f.CeilingPolicy)
	}
	p := patcher{patch: patch}
	p.set("ceiling", now)
	return old.Version, p.err
}

func orNone(list []string) []string {
	if none(list) {
		return []string{}
	}
	return list
}

// pairs reads KEY=VALUE into a list for each key, which may be told to be empty.
func (p *patcher) pairs(name string, list []string, wrong string, empty bool) error {
	if len(list) == 0 || none(list) {
		p.list(name, list)
		return nil
	}
	found := make(map[string][]string)
	for _, text := range list {
		key, value, ok := strings.Cut(text, "=")
		switch {
		case !ok || key == "" || value == "" && !empty:
			return misuse{fmt.Errorf(wrong, text)}
		case value == "":
			found[key] = append([]string{}, found[key]...)
		default:
			found[key] = append(found[key], value)
		}
	}
	p.set(name, found)
	return nil
}
