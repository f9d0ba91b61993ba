package snapshot

import (
	"unique"

	"github.com/postern-dev/postern/internal/domain"
)

// share makes one of the texts that many clients have in common, in a row that is
// nobody else's yet: a hundred thousand clients take less memory then, and a request
// finds what it needs where the one before has left it.
func share(c *domain.Client) {
	for _, s := range []*string{&c.Issuer, &c.Tenant, &c.Tier, &c.Owner, &c.Contact, &c.Origin} {
		*s = unique.Make(*s).Value()
	}
	c.Status = unique.Make(c.Status).Value()
	for _, list := range [][]string{c.Scopes, c.Audiences, c.Policies} {
		for i := range list {
			list[i] = unique.Make(list[i]).Value()
		}
	}
}
