package snapshot

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

// View is all but the clients, as of one moment. It never changes.
type View struct {
	number   uint64 // of all views of the snapshot: what was made for one is known from what was made for another
	issuers  map[string]*Issuer
	tenants  map[string]*domain.Tenant
	hosts    map[string][]mount // longest prefix first
	apis     map[string]*API
	places   map[string][]apiMount // by host, longest path first
	policies map[string]policy.Policy
	tiers    map[string]domain.Tier
	apiKeys  map[string]*APIKey
}

// mount is an issuer at a host.
type mount struct {
	prefix string
	issuer *Issuer
	tenant string // whose host it is; empty: of all
}

// Issuer is an issuer with its contract and its keys ready for use.
type Issuer struct {
	domain.Issuer
	Dialect   *dialect.Dialect
	prefix    string
	keys      []domain.Key
	signers   map[string]*jwt.Signer // by kid
	verifiers map[string]verifier    // by kid
	identity  identity
	now       func() time.Time
}

// Prefix is the path below which the issuer's endpoints stand.
func (i *Issuer) Prefix() string { return i.prefix }

// Signer returns what signs access tokens at the time given, nil where no key may.
func (i *Issuer) Signer(now time.Time) *jwt.Signer {
	k := keys.Signing(i.keys, now)
	if k == nil {
		return nil
	}
	return i.signers[k.ID]
}

// JWKS is the JWK set (RFC 7517 §5) of the keys that are published at the time
// given. Symmetric keys are in none.
func (i *Issuer) JWKS(now time.Time) []byte { return published(i.keys, now) }

func published(list []domain.Key, now time.Time) []byte {
	var b bytes.Buffer
	b.WriteString(`{"keys":[`)
	for n := range list {
		k := &list[n]
		if len(k.Public) == 0 || !keys.Published(k, now) {
			continue
		}
		if b.Len() > len(`{"keys":[`) {
			b.WriteByte(',')
		}
		b.Write(k.Public)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// Issuer returns an issuer by name.
func (v *View) Issuer(name string) (*Issuer, bool) {
	i, ok := v.issuers[name]
	return i, ok
}

// Issuers lists the issuers by name.
func (v *View) Issuers() []*Issuer {
	list := make([]*Issuer, 0, len(v.issuers))
	for _, i := range v.issuers {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b *Issuer) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Tenant returns a tenant by id, nil where there is none.
func (v *View) Tenant(id string) *domain.Tenant { return v.tenants[id] }

// Tier returns a tier by name: one that was made, else the built-in one; where there is
// none, the one that clients have for whom none was chosen.
func (v *View) Tier(name string) domain.Tier {
	if t, ok := v.tiers[name]; ok {
		return t
	}
	return v.tiers[domain.DefaultTier]
}

// Place is what a host and a path lead to.
type Place struct {
	View   *View // in which they were found
	Issuer *Issuer
	Tenant string // id of the tenant whose host it is; empty where the host is everybody's
	Rest   string // the path below the issuer's prefix
}

// TenantOf returns the tenant of a client, nil where it has none.
func (p Place) TenantOf(c *domain.Client) *domain.Tenant { return p.View.tenants[c.Tenant] }

// Find finds the issuer by exact host and the longest prefix that ends at a
// segment. known says whether anything at all stands at the host.
func (v *View) Find(host, escapedPath string) (p Place, found, known bool) {
	mounts, known := v.hosts[domain.Host(host)]
	path := plainPath(escapedPath)
	for _, m := range mounts {
		if rest, ok := below(m.prefix, path); ok {
			return Place{View: v, Issuer: m.issuer, Tenant: m.tenant, Rest: rest}, true, true
		}
	}
	return Place{}, false, known
}

// below returns the path below the prefix; metadata requests have their well-known part
// between host and prefix (RFC 8414 §3.1), which stays.
func below(prefix, path string) (string, bool) {
	if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, "/") {
		return rest, true
	}
	if prefix != "" && path == oauth.MetadataPath+prefix {
		return oauth.MetadataPath, true
	}
	return "", false
}

// plainPath decodes the escapes of unreserved characters and of the colon: two spellings of
// one path (RFC 3986 §6.2.2.2). Everything else stays as it came.
func plainPath(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if c, ok := unhex(path[i+1], path[i+2]); ok && plain(c) {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:", c) >= 0
}

func unhex(high, low byte) (byte, bool) {
	h, l := strings.IndexByte(hexDigits, high), strings.IndexByte(hexDigits, low)
	if h >= 16 {
		h -= 6 // upper case
	}
	if l >= 16 {
		l -= 6
	}
	return byte(h<<4 | l&0x0f), h >= 0 && l >= 0 //nolint:gosec // both below 16
}

const hexDigits = "0123456789abcdefABCDEF"
