package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// The headers that tell an upstream who calls. All but the last are always there, empty
// where there is nothing to say.
const (
	clientHeader    = "X-Postern-Client"
	tenantHeader    = "X-Postern-Tenant"
	issuerHeader    = "X-Postern-Issuer"
	scopeHeader     = "X-Postern-Scope"
	resourcesHeader = "X-Postern-Resources"
	actorHeader     = "X-Postern-Actor"     // of a call of no client: `user:<sub>` or `key:<id>`
	truncatedHeader = "X-Postern-Truncated" // names those that are left out for their length
)

// maxIdentity is how long one of them may be, in bytes. What is longer is left out and
// named, never cut: half a list reads like a whole one.
const maxIdentity = 4 << 10

// identify sets the headers for the one who calls by the verdict.
func identify(h http.Header, v *guard.Verdict, o *one) {
	var issuer, client, tenant, actor string
	if v.Issuer != nil {
		issuer = v.Issuer.Name
	}
	if v.Client != nil {
		client, tenant = v.Client.ID, v.Client.Tenant
	}
	if v.Actor != nil {
		actor, tenant = v.Actor.String(), v.Actor.Tenant
	}
	var left []string
	set := func(name, value string) {
		if len(value) > maxIdentity {
			left = append(left, name)
			value = ""
		}
		o.set(h, name, value)
	}
	set(clientHeader, client)
	set(tenantHeader, tenant)
	set(issuerHeader, issuer)
	set(scopeHeader, v.Scopes.String())
	set(resourcesHeader, resources(v.Resources))
	set(actorHeader, actor)
	if left != nil {
		o.set(h, truncatedHeader, strings.Join(left, ", "))
	}
}

// resources is the JSON of a resource scope, kinds in alphabetical order, ASCII only; empty
// where there are none. It stops soon after maxIdentity.
func resources(scope policy.ResourceScope) string {
	if len(scope) == 0 {
		return ""
	}
	var space [4]string
	kinds := space[:0]
	for kind := range scope {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	b := make([]byte, 0, 128)
	for i, kind := range kinds {
		b = append(b, "{,"[min(i, 1)])
		b = append(quote(b, kind), ':')
		b = appendResources(b, scope[kind])
		if len(b) > maxIdentity {
			break
		}
	}
	return string(append(b, '}'))
}

// appendResources writes what encoding/json makes of it.
func appendResources(b []byte, r policy.Resources) []byte {
	b = append(b, '{')
	if r.All {
		b = append(b, `"all":true`...)
	}
	if len(r.IDs) > 0 {
		if r.All {
			b = append(b, ',')
		}
		b = append(b, `"ids":`...)
		for i, id := range r.IDs {
			b = append(b, "[,"[min(i, 1)])
			if b = quote(b, id); len(b) > maxIdentity {
				break
			}
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// quote writes a JSON string in ASCII: a header holds nothing else safely.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= 0x20 && c < 0x7f:
			b = append(b, byte(c))
		case c < 1<<16:
			b = escape(b, c)
		default: // RFC 8259 §7: two surrogates
			c -= 1 << 16
			b = escape(escape(b, 0xd800+c>>10), 0xdc00+c&0x3ff)
		}
	}
	return append(b, '"')
}

func escape(b []byte, c rune) []byte {
	return append(b, '\\', 'u', hexDigits[c>>12&0xf], hexDigits[c>>8&0xf], hexDigits[c>>4&0xf], hexDigits[c&0xf])
}
