package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// check resolves the paths and notes all that is wrong.
func (c *Config) check(r *reader) {
	c.checkData(r)
	if c.Store.PostgresFile != "" {
		r.exists("store.postgres_file", &c.Store.PostgresFile, "the URL of PostgreSQL")
		if c.MaxNodes == 0 {
			r.add("max_nodes", "is missing; say how many nodes share this database at most, as each admits its part of every rate limit (1 for one node)")
		}
	}
	between(r, "max_nodes", c.Nodes(), 1, 1000)
	r.exists("master_key_file", &c.MasterKeyFile, "the master key")
	c.checkListeners(r)
	for i := range c.Dialects {
		r.exists(fmt.Sprintf("dialects[%d]", i), &c.Dialects[i], "a dialect")
	}
	oneOf(r, "audit.tokens", c.Audit.Tokens, AuditGroup, AuditSync, AuditOff)
	if c.Audit.Keep != 0 {
		between(r, "audit.keep", c.Audit.Keep, 24*3600, 3650*24*3600)
	}
	c.Audit.Checkpoints.check(r)
	oneOf(r, "log.format", c.Log.Format, JSON, Text)
	oneOf(r, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	between(r, "clients_cached", c.ClientsCached, 1000, 10_000_000)
	between(r, "max_staleness", c.MaxStaleness, 2, 600)
	between(r, "jwks_max_age", c.JWKSMaxAge, 10, 900)
	c.SignIn.check(r)
	c.Limits.check(r)
	if c.Node == "" || len(c.Node) > 64 || strings.ContainsFunc(c.Node, func(ch rune) bool { return ch <= 0x20 || ch >= 0x7f }) {
		r.add("node", "%q is no name of a node; write 1 to 64 printable ASCII characters without spaces", c.Node)
	}
	if c.Node == domain.RetentionNode {
		r.add("node", "is the name in whose chain retention tells what it dropped; take another")
	}
}

func (c *Config) checkData(r *reader) {
	if c.Data == "" {
		r.add("data", "is missing; name the directory of the store")
		return
	}
	r.path("data", &c.Data)
	switch info, err := os.Stat(c.Data); {
	case errors.Is(err, fs.ErrNotExist):
		r.add("data", "names %s, which does not exist; make it with mkdir -m 700", c.Data)
	case err != nil:
		r.add("data", "names a directory that cannot be looked at: %v", err)
	case !info.IsDir():
		r.add("data", "names %s, which is no directory", c.Data)
	}
}

func (c *Config) checkListeners(r *reader) {
	tokens := false
	seen := make(map[string]bool)
	for i := range c.Listeners {
		l := &c.Listeners[i]
		field := fmt.Sprintf("listeners[%d]", i)
		l.check(r, field)
		if l.Address != "" && seen[l.Address] && !strings.HasSuffix(l.Address, ":0") {
			r.add(field+".address", "%s is the address of another listener too; give one all the surfaces", l.Address)
		}
		seen[l.Address] = true
		tokens = tokens || slices.Contains(l.Surfaces, Token)
	}
	if !tokens {
		r.add("listeners", "has no listener with the surface token, so nobody would get one; write for example - {address: \"127.0.0.1:8080\", surfaces: [token]}")
	}
}

func (l *Listener) check(r *reader, field string) {
	host, port, err := net.SplitHostPort(l.Address)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || strconv.FormatUint(number, 10) != port {
		r.add(field+".address", "%q is no address; write host:port or :port, as in 127.0.0.1:8080", l.Address)
	}
	if len(l.Surfaces) == 0 {
		r.add(field+".surfaces", "is missing; name token, gateway, admin, metrics or health")
	}
	for i, s := range l.Surfaces {
		at := fmt.Sprintf("%s.surfaces[%d]", field, i)
		oneOf(r, at, s, Token, Gateway, Admin, Metrics, Health)
		if slices.Index(l.Surfaces, s) < i {
			r.add(at, "%s stands there twice", s)
		}
	}
	public := slices.Contains(l.Surfaces, Token) || slices.Contains(l.Surfaces, Gateway)
	if i := slices.Index(l.Surfaces, Admin); i >= 0 && public && !l.ShareAdmin { // D-101
		r.add(fmt.Sprintf("%s.surfaces[%d]", field, i), "admin stands beside what everybody may reach; give it a listener of its own, or say share_admin: true here")
	}
	switch {
	case l.TLS != nil:
		r.exists(field+".tls.cert_file", &l.TLS.CertFile, "the certificate")
		r.exists(field+".tls.key_file", &l.TLS.KeyFile, "its private key")
		if l.BehindTLSProxy {
			r.add(field+".behind_tls_proxy", "is for plain HTTP, and there is tls; leave one of them out")
		}
	case err == nil && !loopback(host) && !l.BehindTLSProxy:
		r.add(field, "is plain HTTP beyond this machine, where secrets could be read; give it tls, or say behind_tls_proxy: true if a proxy that speaks TLS is all that reaches it")
	}
}

// loopback reports whether only this machine reaches the host. A name other
// than localhost may mean any address.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (l *Limits) check(r *reader) {
	between(r, "limits.max_connections", l.MaxConnections, 16, 1_000_000)
	between(r, "limits.max_header_bytes", l.MaxHeaderBytes, 4<<10, 64<<10)
	between(r, "limits.header_timeout", l.HeaderTimeout, 1, 30)
	between(r, "limits.read_timeout", l.ReadTimeout, 1, 60)
	between(r, "limits.write_timeout", l.WriteTimeout, 1, 60)
	between(r, "limits.idle_timeout", l.IdleTimeout, 1, 600)
	between(r, "limits.shutdown_timeout", l.ShutdownTimeout, 1, 300)
}

func between[T int | domain.Seconds](r *reader, field string, v, low, high T) {
	if v < low || v > high {
		r.add(field, "is %d; write %d to %d", v, low, high)
	}
}

func oneOf[T ~string](r *reader, field string, v T, set ...T) {
	if slices.Contains(set, v) {
		return
	}
	words := make([]string, len(set))
	for i, w := range set {
		words[i] = string(w)
	}
	r.add(field, "%q is not one of %s", v, strings.Join(words, ", "))
}
