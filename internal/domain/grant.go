package domain

import (
	"errors"
	"slices"
	"time"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Grant is what a token request gets.
type Grant struct {
	Scope        oauth.Scope
	ScopeChanged bool                // Scope is not what was asked for (RFC 6749 §5.1)
	Audience     []string            // at least one
	Bindings     map[string][]string // resource kind → ids, from scope tokens that bind
	Lifetime     time.Duration
}

// Grant decides what a request of this client, already authenticated, gets:
// may it use the grant, what scope, what audience, how long. It is pure. The
// tenant is the client's own, nil for a platform-wide client. A grant is never narrowed
// silently (COM-06): what is asked for is granted whole or refused with an
// *oauth.Error.
func (c *Client) Grant(d *dialect.Dialect, tenant *Tenant, req *oauth.TokenRequest) (Grant, error) {
	if c.Partner && d.Server.PartnerClients == dialect.PartnersRefused {
		return Grant{}, oauth.Fail(oauth.FailureGrantNotAllowed)
	}
	g := Grant{Lifetime: c.lifetime(d)}
	if err := c.grantScope(d, tenant, req, &g); err != nil {
		return Grant{}, err
	}
	if err := c.grantAudience(d, req, &g); err != nil {
		return Grant{}, err
	}
	return g, nil
}

func (c *Client) lifetime(d *dialect.Dialect) time.Duration {
	seconds := int64(d.Server.Lifetime.Default)
	if c.Lifetime > 0 && !d.Server.Lifetime.Fixed {
		seconds = min(int64(c.Lifetime), int64(d.Server.Lifetime.Max))
	}
	return min(time.Duration(seconds)*time.Second, dialect.MaxLifetime)
}

// grantScope is the only function of the token line that compares scopes.
func (c *Client) grantScope(d *dialect.Dialect, tenant *Tenant, req *oauth.TokenRequest, g *Grant) error {
	if req.ScopeError != nil {
		return &oauth.Error{Failure: oauth.FailureScopeInvalid, Err: req.ScopeError}
	}
	if len(req.Scope) == 0 && c.ScopeRequired {
		return oauth.FailWith(oauth.FailureScopeMissing, "scope")
	}
	held := c.Scopes
	if tenant != nil && tenant.Ceiling != nil {
		// COM-12: a scope taken from the tenant is gone for its clients.
		held = slices.DeleteFunc(slices.Clone(held), func(s string) bool { return !tenant.Ceiling.Scopes.Contains(s) })
	}
	if len(req.Scope) == 0 {
		if d.Server.Scope.Omitted == dialect.AllAssigned {
			g.Scope, g.ScopeChanged = held, len(held) > 0
		}
		return nil
	}
	for _, token := range req.Scope {
		if fixed := d.Wire.Scope.Fixed; fixed != "" && token != fixed {
			return scopeInvalid("the contract knows one scope only")
		}
		if b, id, binds := d.Bind(token); binds {
			if err := c.bind(b, id, tenant, g); err != nil {
				return err
			}
		} else if !held.Contains(token) {
			return scopeInvalid("a scope that is not assigned to the client")
		}
	}
	g.Scope = req.Scope
	return nil
}

// bind grants a resource that a scope names: one among the tenant's resources and granted
// to the client (BIP-04).
func (c *Client) bind(b *dialect.Binding, id string, tenant *Tenant, g *Grant) error {
	if len(g.Bindings[b.Kind]) >= b.Max {
		return scopeInvalid("more scopes that bind to a resource than one token may have")
	}
	if tenant == nil || !slices.Contains(tenant.Resources[b.Kind], id) || !c.ResourceScope.Holds(b.Kind, id) {
		return scopeInvalid("a scope that binds to a resource the client does not hold")
	}
	if g.Bindings == nil {
		g.Bindings = make(map[string][]string, 1)
	}
	g.Bindings[b.Kind] = append(g.Bindings[b.Kind], id)
	return nil
}

func scopeInvalid(why string) error {
	return &oauth.Error{Failure: oauth.FailureScopeInvalid, Err: errors.New(why)}
}

func (c *Client) grantAudience(d *dialect.Dialect, req *oauth.TokenRequest, g *Grant) error {
	if req.Audience == "" || d.Wire.Audience.Presence == dialect.None {
		g.Audience = slices.Clip(c.Audiences)
		if len(g.Audience) == 0 { // every token has an audience; registry refuses such a client
			return oauth.Fail(oauth.FailureAudienceInvalid)
		}
		return nil
	}
	i := slices.Index(c.Audiences, req.Audience)
	if i < 0 {
		return oauth.FailWith(oauth.FailureAudienceInvalid, d.Wire.Audience.Name)
	}
	g.Audience = c.Audiences[i : i+1 : i+1]
	return nil
}
