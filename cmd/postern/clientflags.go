package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// clientFlags are what an administrator may choose of a client. nil is a flag that
// was not given; an empty text, and a list of nothing but one, sets it back to what
// it is when left out.
type clientFlags struct {
	Name          *string  `name:"name" placeholder:"TEXT" help:"What people call it."`
	Tenant        *string  `name:"tenant" placeholder:"ID" help:"The tenant whose machine it is."`
	PlatformWide  *bool    `name:"platform-wide" negatable:"" help:"It is of no tenant."`
	Scope         []string `name:"scope" sep:"none" placeholder:"SCOPE" help:"A scope it may ask for; repeat for more."`
	Audience      []string `name:"audience" sep:"none" placeholder:"URI" help:"An API its tokens are for; repeat for more."`
	Policy        []string `name:"policy" sep:"none" placeholder:"NAME" help:"A policy it holds; repeat for more."`
	Resource      []string `name:"resource" sep:"none" placeholder:"KIND=ID" help:"Where it may act, or KIND:all; repeat for more."`
	Lifetime      *string  `name:"lifetime" placeholder:"TIME" help:"Of its tokens, as in 3600 or 1h; left out: that of the dialect."`
	Tier          *string  `name:"tier" placeholder:"NAME" help:"Its rate limit; left out: standard."`
	RateLimit     []string `name:"rate-limit" sep:"none" placeholder:"API=N" help:"Its calls a minute at an API, instead of its tier's; repeat for more."`
	Partner       *bool    `name:"partner" negatable:"" help:"It is a partner integration."`
	ScopeRequired *bool    `name:"scope-required" negatable:"" help:"It must send a scope."`
	Owner         *string  `name:"owner" placeholder:"TEXT" help:"Who answers for it."`
	Contact       *string  `name:"contact" placeholder:"TEXT" help:"How to reach them."`
	Note          *string  `name:"note" placeholder:"TEXT" help:"Anything worth knowing."`
	ValidUntil    *string  `name:"valid-until" placeholder:"DATE" help:"From then on it is as if disabled, as in 2027-01-31 (UTC) or 2027-01-31T12:00:00Z."`
}

// patch holds the flags that were given, under the names of the API.
func (f clientFlags) patch() (admin.Patch, error) {
	p := patcher{patch: admin.Patch{}}
	p.text("name", f.Name)
	p.text("tenant", f.Tenant)
	p.flag("platform_wide", f.PlatformWide)
	p.list("scopes", f.Scope)
	p.list("audiences", f.Audience)
	p.list("policies", f.Policy)
	p.flag("partner", f.Partner)
	p.flag("scope_required", f.ScopeRequired)
	p.text("tier", f.Tier)
	p.text("owner", f.Owner)
	p.text("contact", f.Contact)
	p.text("note", f.Note)
	if err := p.lifetime(f.Lifetime); err != nil {
		return nil, err
	}
	if err := p.validUntil(f.ValidUntil); err != nil {
		return nil, err
	}
	if err := p.resources(f.Resource); err != nil {
		return nil, err
	}
	if err := p.rateLimits(f.RateLimit); err != nil {
		return nil, err
	}
	return p.patch, p.err
}

// client is a new client that has what was given.
func (f clientFlags) client(issuer, id string) (admin.NewClient, error) {
	n := admin.NewClient{}
	patch, err := f.patch()
	if err != nil {
		return n, err
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(data, &n); err != nil {
		return n, err
	}
	n.Issuer, n.ID = issuer, id
	return n, nil
}

type patcher struct {
	patch admin.Patch
	err   error
}

func (p *patcher) set(name string, v any) {
	data, err := json.Marshal(v)
	if err != nil && p.err == nil {
		p.err = err
	}
	p.patch[name] = data
}

func (p *patcher) text(name string, v *string) {
	switch {
	case v == nil:
	case *v == "":
		p.set(name, nil)
	default:
		p.set(name, *v)
	}
}

func (p *patcher) flag(name string, v *bool) {
	if v != nil {
		p.set(name, *v)
	}
}

func (p *patcher) list(name string, v []string) {
	switch {
	case len(v) == 0:
	case none(v):
		p.set(name, nil)
	default:
		p.set(name, v)
	}
}

func none(v []string) bool { return len(v) == 1 && v[0] == "" }

func (p *patcher) lifetime(v *string) error {
	if v == nil || *v == "" {
		p.text("lifetime", v)
		return nil
	}
	seconds, err := domain.ParseSeconds(*v)
	if err != nil {
		return misuse{fmt.Errorf("--lifetime: %w", err)}
	}
	p.set("lifetime", seconds)
	return nil
}

func (p *patcher) validUntil(v *string) error {
	if v == nil || *v == "" {
		p.text("valid_until", v)
		return nil
	}
	at, err := parseTime(*v)
	if err != nil {
		return misuse{fmt.Errorf("--valid-until: %w", err)}
	}
	p.set("valid_until", at)
	return nil
}

// parseTime reads a date, which begins at midnight UTC, or a time of RFC 3339.
func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is no date: write 2027-01-31 or 2027-01-31T12:00:00Z", text)
	}
	return at, nil
}

// resources reads KIND=ID and KIND:all.
func (p *patcher) resources(list []string) error {
	if len(list) == 0 || none(list) {
		p.list("resource_scope", list)
		return nil
	}
	scope := domain.ResourceScope{}
	for _, text := range list {
		if kind, id, ok := strings.Cut(text, "="); ok && kind != "" && id != "" {
			held := scope[kind]
			held.IDs = append(held.IDs, id)
			scope[kind] = held
			continue
		}
		kind, ok := strings.CutSuffix(text, ":all")
		if !ok || kind == "" {
			return misuse{fmt.Errorf("--resource: %q is neither KIND=ID nor KIND:all, as in study=study_001 or study:all", text)}
		}
		held := scope[kind]
		held.All = true
		scope[kind] = held
	}
	p.set("resource_scope", scope)
	return nil
}

// rateLimits reads API=N.
func (p *patcher) rateLimits(list []string) error {
	if len(list) == 0 || none(list) {
		p.list("rate_limits", list)
		return nil
	}
	limits := make(map[string]int64, len(list))
	for _, text := range list {
		api, number, _ := strings.Cut(text, "=")
		n, err := strconv.ParseInt(number, 10, 64)
		if api == "" || err != nil {
			return misuse{fmt.Errorf("--rate-limit: %q is not API=N, calls a minute at an API, as in reports=60", text)}
		}
		if _, twice := limits[api]; twice {
			return misuse{fmt.Errorf("--rate-limit: %s is there twice", api)}
		}
		limits[api] = n
	}
	p.set("rate_limits", limits)
	return nil
}
