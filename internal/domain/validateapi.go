package domain

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/policy"
)

// Exists reports whether there is an object of the kind with the key. Built-in tiers
// need not be asked for.
type Exists func(kind Kind, key string) bool

// word is what policies, actions and tags are called.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$`)

const wordForm = "letters, digits and `:._-`, at most 64, the first a letter or digit"

// Bounds of what an API may ask of the gateway.
const (
	defaultMaxBody = 10 << 20 // bytes
	largestMaxBody = 1 << 30  // bytes
	longestWait    = 3600     // seconds
)

// Defaults fills what was left out.
func (a *API) Defaults() {
	a.MaxBody = orElse(a.MaxBody, defaultMaxBody)
	a.Timeouts.Connect = orElse(a.Timeouts.Connect, 5)
	a.Timeouts.Answer = orElse(a.Timeouts.Answer, 30)
	a.Timeouts.Idle = orElse(a.Timeouts.Idle, 60)
	a.GraphQL = a.GraphQL.defaults()
	a.Routes = slices.Clone(a.Routes) // whose routes they were keeps them as they are
	for i := range a.Routes {
		r := &a.Routes[i]
		r.Parameters = slices.Clone(r.Parameters)
		for n := range r.Parameters {
			r.Parameters[n].In = orElse(r.Parameters[n].In, policy.InPath)
		}
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Problems lists what is wrong with the API, with its defaults, by itself and in what
// it refers to.
func (a *API) Problems(exists Exists) []Problem {
	var p problems
	if !slug.MatchString(a.Name) {
		p.add("name", "%q is no API name: lower case, digits and `-`, at most 64", a.Name)
	}
	p.text("label", a.Label, 200)
	p.audience("audience", a.Audience)
	if a.Audience == AdminAudience {
		p.add("audience", "%s is that of administration, which no API has; choose another", a.Audience)
	}
	p.trusts(a.Issuers, exists)
	p.stands(a)
	if a.AuditLog != nil {
		p.auditLog(a)
	} else {
		p.upstream(a.Upstream)
	}
	p.credentials(a, exists)
	p.routes(a.Routes)
	p.graphQL(a.GraphQL, a.Routes)
	for _, tier := range slices.Sorted(maps.Keys(a.RateLimits)) {
		p.tier("rate_limits."+tier, tier, exists)
		p.perMinute("rate_limits."+tier, a.RateLimits[tier])
	}
	p.bounds(a)
	return p
}

func (p *problems) trusts(issuers []string, exists Exists) {
	if len(issuers) == 0 {
		p.add("issuers", "is empty; name at least one issuer whose tokens the API takes")
	}
	for i, name := range issuers {
		if !exists(KindIssuer, name) {
			p.add(fmt.Sprintf("issuers[%d]", i), "there is no issuer %q; name one that was made", name)
		} else if slices.Index(issuers, name) < i {
			p.add(fmt.Sprintf("issuers[%d]", i), "%q stands there twice", name)
		}
	}
}

// stands checks where the gateway serves the API.
func (p *problems) stands(a *API) {
	for i, h := range a.Hosts {
		field := fmt.Sprintf("hosts[%d]", i)
		p.host(field, h)
		if slices.ContainsFunc(a.Hosts[:i], func(o string) bool { return Host(o) == Host(h) }) {
			p.add(field, "%q stands there twice", h)
		}
	}
	if a.Path != "" && (!plainPath(a.Path) || strings.Contains(a.Path, "%")) {
		p.add("path", "%q is no path to stand below: begin with /, do not end in it, write no //, dots, escapes or ;, as in /v1; leave it out for the root", a.Path)
	}
}

// upstream never repeats what it is given: there may be a secret in it.
func (p *problems) upstream(text string) {
	const field, right = "upstream", "write http://host:port or https://host/path"
	u, err := url.Parse(text)
	switch {
	case text == "":
		p.add(field, "is missing; %s", right)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		p.add(field, "is no URL of an upstream: %s", right)
	case u.User != nil:
		p.add(field, "has a user or password in it, which every reader of the objects would see; %s, and let the upstream know the gateway by its network or by TLS", right)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		p.add(field, "has a query or a fragment, and a key in it would be no secret; %s", right)
	case !hostPort.MatchString(strings.ReplaceAll(Host(u.Host), "_", "-")) || strings.Contains(u.Host, ".."): // names of containers have `_`
		p.add(field, "has a host that is none: %s", right)
	case u.Path != "" && !plainPath(u.EscapedPath()):
		p.add(field, "has a path that ends in / or holds //, dots or ;: %s, without the last /", right)
	}
}

// plainPath reports whether the path has one reading, and takes what begins with a slash.
func plainPath(path string) bool {
	normal, err := policy.Normalise(path)
	return err == nil && normal == path && !strings.HasSuffix(path, "/")
}

// routes tells every route that policy cannot make a rule of, and every word that is none.
func (p *problems) routes(routes []Route) {
	_, err := policy.NewTable(routes)
	wrong, _ := errors.AsType[policy.RouteErrors](err)
	for _, of := range wrong {
		p.add(fmt.Sprintf("routes[%d]", of.Index), "%v", of.Err)
	}
	for i, r := range routes {
		at := fmt.Sprintf("routes[%d].", i)
		p.scopes(at+"scopes", r.Scopes)
		p.words(at+"actions", "action", r.Actions)
		p.words(at+"tags", "tag", r.Tags)
		for n, param := range r.Parameters {
			if param.Kind != "" {
				p.kind(fmt.Sprintf("%sparameters[%d].kind", at, n), param.Kind)
			}
		}
	}
}

// words are names of actions or tags.
func (p *problems) words(field, what string, list []string) {
	for i, s := range list {
		if !word.MatchString(s) {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q is no %s: %s", s, what, wordForm)
		} else if slices.Index(list, s) < i {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q stands there twice", s)
		}
	}
}

func (p *problems) perMinute(field string, n int64) {
	if n < 1 {
		p.add(field, "is %d calls a minute; at least 1", n)
	}
}

func (p *problems) bounds(a *API) {
	if a.MaxBody < 1 || a.MaxBody > largestMaxBody {
		p.add("max_body", "is %d bytes; from 1 to %d", a.MaxBody, largestMaxBody)
	}
	for _, t := range []struct {
		field string
		is    Seconds
	}{{"connect", a.Timeouts.Connect}, {"answer", a.Timeouts.Answer}, {"idle", a.Timeouts.Idle}} {
		if t.is < 1 || t.is > longestWait {
			p.add("timeouts."+t.field, "is %d seconds; from 1s to 1h", t.is)
		}
	}
	if a.ServeStale < 0 || a.ServeStale > longestWait {
		p.add("serve_stale", "is %d seconds; at most 1h", a.ServeStale)
	}
}

// Problems lists what is wrong with the policy.
func (o *Policy) Problems() []Problem {
	var p problems
	if !word.MatchString(o.Name) {
		p.add("name", "%q is no policy name: %s", o.Name, wordForm)
	}
	p.text("label", o.Label, 200)
	for _, action := range slices.Sorted(maps.Keys(o.Actions)) {
		field, line := "actions."+action, o.Actions[action]
		if !word.MatchString(action) {
			p.add(field, "%q is no action: %s", action, wordForm)
		}
		if strings.TrimSpace(line) == "" || strings.Contains(line, "\n") {
			p.add(field, "needs one line that says what it lets a client do; whoever grants the policy reads it")
		}
		p.text(field, line, 200)
	}
	return p
}

// Problems lists what is wrong with the tier.
func (t *Tier) Problems() []Problem {
	var p problems
	if !slug.MatchString(t.Name) {
		p.add("name", "%q is no tier name: lower case, digits and `-`, at most 64", t.Name)
	}
	switch {
	case t.Unlimited && t.PerMinute != 0:
		p.add("unlimited", "is set and so is per_minute; a tier has one of them")
	case !t.Unlimited && t.PerMinute == 0:
		p.add("per_minute", "is missing; say how many calls a minute, or unlimited: true")
	case !t.Unlimited:
		p.perMinute("per_minute", t.PerMinute)
	}
	return p
}

// tier tells a tier that is neither built in nor made.
func (p *problems) tier(field, name string, exists Exists) {
	if _, built := BuiltinTier(name); !built && !exists(KindTier, name) {
		p.add(field, "there is no tier %q; there are standard, premium, unlimited and those that were made", name)
	}
}
