package server

import (
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/internal/config"
)

// Reload takes over what of a configuration can be changed while a node runs: `log.level` and
// `trusted_proxies`. It returns the fields that are others now and hold from the next start
// on. (Certificates are read again by themselves when their files change.)
func (n *Node) Reload(c *config.Config) (later []string) {
	now := []string{"log.level", "trusted_proxies"}
	n.level.Set(c.Log.Level.Slog())
	n.proxies.Set(networks(c))
	return slices.DeleteFunc(n.Config.Differs(c), func(field string) bool { return slices.Contains(now, field) })
}

// networks are those of the proxies that a configuration trusts.
func networks(c *config.Config) []netip.Prefix {
	list := make([]netip.Prefix, len(c.TrustedProxies))
	for i, p := range c.TrustedProxies {
		list[i] = p.Prefix
	}
	return list
}
