package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictjson"
)

// apply changes the client as the patch says.
func (p Patch) apply(c *domain.Client) error {
	return p.each(fmt.Sprintf("the change of client %q", c.ID), []string{"issuer", "id"}, func(name string, document []byte) error {
		return setClient(c, name, document)
	})
}

// each calls set with each member and a JSON object of nothing else. What an
// administrator may not choose is refused by name (D-74), as is what is misspelt.
func (p Patch) each(object string, fixed []string, set func(name string, document []byte) error) error {
	var problems []domain.Problem
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if slices.Contains(fixed, name) {
			problems = append(problems, domain.Problem{Field: name, Message: "never changes; make another one instead"})
			continue
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		document := append(append(append(append([]byte{'{'}, quoted...), ':'), p[name]...), '}')
		if err := set(name, document); err != nil {
			problems = append(problems, domain.Problem{Field: name, Message: fmt.Sprintf("is not something that can be set so: %v", err)})
		}
	}
	return domain.AsError(object, problems)
}

// setClient sets one member: it is read into an otherwise empty NewClient, so that its
// type, and whether there is such a member, are judged in one place.
func setClient(c *domain.Client, name string, document []byte) error {
	var one NewClient
	if err := strictjson.Unmarshal(document, &one); err != nil {
		return err
	}
	from := one.spec()
	switch name {
	case "name":
		c.Name = from.Name
	case "tenant":
		c.Tenant = from.Tenant
	case "platform_wide":
		c.PlatformWide = from.PlatformWide
	case "scopes":
		c.Scopes = from.Scopes
	case "audiences":
		c.Audiences = from.Audiences
	case "policies":
		c.Policies = from.Policies
	case "resource_scope":
		c.ResourceScope = from.ResourceScope
	case "lifetime":
		c.Lifetime = from.Lifetime
	case "tier":
		c.Tier = from.Tier
	case "rate_limits":
		c.RateLimits = from.RateLimits
	case "partner":
		c.Partner = from.Partner
	case "scope_required":
		c.ScopeRequired = from.ScopeRequired
	case "owner":
		c.Owner = from.Owner
	case "contact":
		c.Contact = from.Contact
	case "note":
		c.Note = from.Note
	case "valid_until":
		c.ValidUntil = from.ValidUntil
	}
	return nil
}
