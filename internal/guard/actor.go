package guard

import (
	"context"
	"errors"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

// RoleUnknown is why somebody is refused whose role the API does not know.
const RoleUnknown Reason = "role_unknown"

// Why a credential of somebody who is no client is worth nothing. For the log (D-72).
var (
	errNoAPIKey    = errors.New("the API key is not there, or is another one, or the API takes none")
	errKeyExpired  = errors.New("the API key has expired")
	errKeyAudience = errors.New("the API key is for another audience")
	errTenant      = errors.New("the credential is of no tenant that is there, or of several")
)

// ActorKind is what somebody is who is no client.
type ActorKind string

// The kinds.
const (
	User ActorKind = "user" // whom the OpenID provider of the API vouches for
	Key  ActorKind = "key"  // an API key
)

// Actor is who calls where that is no client (ARB-07): its rights are those of its role,
// within its tenant, and no scope is looked at.
type Actor struct {
	Kind   ActorKind
	ID     string // `sub` of the user's token, or the id of the key
	Role   string
	Tenant string // by id; empty: of all of them
	Tier   string // of the role

	provider string          // `iss`, of a user
	kid      string          // that the user's token verified under
	identity jwt.Identity    // which key that was
	calls    *ratelimit.Slot // where its calls are counted
}

// String is the actor as it stands in activity: `user:<sub>` or `key:<id>`.
func (a *Actor) String() string { return string(a.Kind) + ":" + a.ID }

// counted is what its calls are counted by: no issuer is called so.
func (a *Actor) counted() ratelimit.Client {
	return ratelimit.Client{Issuer: string(a.Kind) + ":" + a.provider, ID: a.ID}
}

// findKey finds the API key as it is now. It is told by its own form, which no JWT has, and
// proven by its secret (D-54).
func (c *call) findKey(text string) error {
	id, s, _ := secret.ParseAPIKey(oauth.Secret(text)) // of what is none the id is empty, and no key's
	key, ok := c.place.View.APIKey(id)
	if !ok || !key.Is(s) || !c.API.APIKeys {
		return invalid(errNoAPIKey)
	}
	if err := c.keyStanding(key); err != nil {
		return err
	}
	return c.act(&Actor{Kind: Key, ID: key.ID, Role: string(key.Role), Tenant: oneTenant(key.Reach), calls: &key.Calls})
}

// keyStanding refuses a key that may not call the API now.
func (c *call) keyStanding(key *snapshot.APIKey) error {
	switch {
	case !key.Alive(c.now):
		return invalid(errKeyExpired)
	case key.Audience != c.API.Audience:
		return invalid(errKeyAudience)
	case !key.AllTenants && len(key.Tenants) != 1: // *all* is a word of its own, never an empty list
		return invalid(errTenant)
	}
	return nil
}

// oneTenant is the tenant of a key that stands, empty where it is for all of them.
func oneTenant(r domain.Reach) string {
	if r.AllTenants {
		return ""
	}
	return r.Tenants[0]
}

// act takes the actor for the one who calls. Its tenant is there, and is served at this host.
func (c *call) act(a *Actor) error {
	if c.Tenant = c.place.View.Tenant(a.Tenant); c.Tenant == nil && a.Tenant != "" {
		return invalid(errTenant)
	}
	if !c.place.ServesTenant(a.Tenant) { // D-57
		return invalid(errOtherTenant)
	}
	a.Tier = c.API.Roles[a.Role].Tier
	if a.Tier == "" {
		a.Tier = domain.DefaultTier
	}
	c.Actor = a
	return nil
}

// takeRole gives the actor the rights of its role, where the API knows it.
func (c *call) takeRole() error {
	rights, said, ok := c.API.RoleRights(c.place.View, c.Actor.Role, c.Actor.Tenant)
	if !ok {
		return &Refusal{Reason: RoleUnknown}
	}
	c.rights, c.said = rights, said
	return nil
}

// actorAlive is Alive for somebody who is no client.
func (g *Guard) actorAlive(ctx context.Context, v *Verdict, view *snapshot.View, api *snapshot.API) bool {
	c := call{guard: g, place: snapshot.APIPlace{View: view}, now: g.Snapshot.Now(), Verdict: Verdict{API: api, Actor: v.Actor}}
	switch v.Actor.Kind {
	case Key:
		key, ok := view.APIKey(v.Actor.ID)
		if !ok || !api.APIKeys || c.keyStanding(key) != nil || oneTenant(key.Reach) != v.Actor.Tenant || string(key.Role) != v.Actor.Role {
			return false
		}
	case User:
		if !g.providers.vouches(ctx, api.Users, v.Actor) {
			return false
		}
	}
	a := *v.Actor
	return c.act(&a) == nil && c.takeRole() == nil
}
