package snapshot

import (
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// compiled is the rights of a client by one view.
type compiled struct {
	view   uint64
	rights *policy.Rights
}

// Rights are what the client holds now: by its row, and by what the view says of its
// tenant and of its policies (COM-12). They are made once for each view.
func (c *Client) Rights(v *View) *policy.Rights {
	if made := c.rights.Load(); made != nil && made.view == v.number {
		return made.rights
	}
	rights := policy.Compile(c.Held(v.tenants[c.Tenant], v.policies))
	c.rights.Store(&compiled{v.number, rights})
	return rights
}

func (v *View) addPolicy(row domain.Policy) { v.policies[row.Name] = row.Compiled() }
