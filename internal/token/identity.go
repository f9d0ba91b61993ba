package token

import (
	"slices"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

// IdentityLife is how long an upstream may believe what it is told of a call.
const IdentityLife = time.Minute

// maxLists is how many bytes of JSON scope and resources may take in an identity token, so
// that the header that carries it stays one that servers take. What is too long is left out
// and named, never cut: half a list reads like a whole one.
const maxLists = 4 << 10

// Identity is whose call an upstream gets, and what its client may do there.
type Identity struct {
	Issuer    *domain.Issuer
	Audience  string // of the API
	Client    string
	Tenant    string               // empty: platform-wide
	Scope     oauth.Scope          // said by the access token and held now
	Resources domain.ResourceScope // as scope
}

// SignIdentity appends a signed identity token to dst: a JWT for the upstream of one API, of
// a type and under a key of its own, so that it is worth nothing as an access token, and no
// access token as it (RFC 8725 §3.11, D-47). The signer is Issuer.IdentitySigner of package
// snapshot, claims are those of Identity.Append, and the event is the call, which becomes
// `jti`.
func SignIdentity(dst []byte, signer *jwt.Signer, claims []byte, event domain.EventID, now time.Time) ([]byte, error) {
	var space [1024]byte
	b := append(space[:0], claims...)
	iat := now.Unix()
	b = append(b, `,"iat":`...)
	b = strconv.AppendInt(b, iat, 10)
	b = append(b, `,"exp":`...)
	b = strconv.AppendInt(b, iat+int64(IdentityLife/time.Second), 10)
	b = append(b, `,"jti":"`...)
	b = event.Append(b)
	return signer.Sign(dst, append(b, `"}`...))
}

// Append appends the claims but those of time and call, as a JSON object that is not closed
// yet: two identities are the same where these bytes are.
func (f *Identity) Append(b []byte) []byte {
	b = append(b, `{"iss":`...)
	b = jwt.AppendString(b, f.Issuer.URL)
	b = append(b, `,"aud":`...)
	b = jwt.AppendString(b, f.Audience)
	b = append(b, `,"sub":`...)
	b = jwt.AppendString(b, f.Client)
	b = append(b, `,"client_id":`...)
	b = jwt.AppendString(b, f.Client)
	if f.Tenant != "" {
		b = append(b, `,"tenant_id":`...)
		b = jwt.AppendString(b, f.Tenant)
	}
	return f.appendLists(b)
}

// appendLists writes scope and resources, as far as both are short enough together, and
// names what is not there for its length.
func (f *Identity) appendLists(b []byte) []byte {
	start := len(b)
	var left []string
	if len(f.Scope) > 0 { // the claim is absent where there is none (RFC 9068 §2.2.3)
		b = jwt.AppendString(append(b, `,"scope":`...), f.Scope.String())
	}
	if len(b)-start > maxLists {
		b, left = b[:start], append(left, "scope")
	}
	before := len(b)
	b = appendResources(append(b, `,"resources":`...), f.Resources, start+maxLists)
	if len(b)-start > maxLists {
		b, left = b[:before], append(left, "resources")
	}
	if left != nil {
		b = appendStrings(append(b, `,"truncated":`...), left, len(b)+maxLists)
	}
	return b
}

// appendResources writes a resource scope as its JSON is, kinds in their order. It stops
// soon after end bytes, with what is no JSON.
func appendResources(b []byte, scope domain.ResourceScope, end int) []byte {
	kinds := make([]string, 0, len(scope))
	for kind := range scope {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	b = append(b, '{')
	for i, kind := range kinds {
		if len(b) > end {
			return b
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jwt.AppendString(b, kind), `:{`...)
		r := scope[kind]
		if r.All {
			b = append(b, `"all":true`...)
		}
		if r.All && len(r.IDs) > 0 {
			b = append(b, ',')
		}
		if len(r.IDs) > 0 {
			b = appendStrings(append(b, `"ids":`...), r.IDs, end)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendStrings writes a list of strings. It stops soon after end bytes.
func appendStrings(b []byte, list []string, end int) []byte {
	b = append(b, '[')
	for i, s := range list {
		if len(b) > end {
			return b
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = jwt.AppendString(b, s)
	}
	return append(b, ']')
}
