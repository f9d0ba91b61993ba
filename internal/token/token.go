package token

import (
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Facts are what a token says: who gets it, from whom, for what.
type Facts struct {
	Issuer  *domain.Issuer
	Dialect *dialect.Dialect
	Client  *domain.Client
	Grant   *domain.Grant
	Event   domain.EventID // the request that it answers; becomes part of `jti`
	Now     time.Time
}

// Issue appends a signed access token to dst. The claims of the dialect come
// first, then those that no dialect can say away: iss, aud, sub, client_id,
// iat, exp, and jti = `<epoch>.<event id>`, by which a call finds out whether the
// client's tokens were killed since.
func Issue(dst []byte, signer *jwt.Signer, f Facts) ([]byte, error) {
	var space [1024]byte
	return signer.Sign(dst, claims(space[:0], f))
}

func claims(b []byte, f Facts) []byte {
	b = append(b, '{')
	for i := range f.Dialect.Server.Claims {
		b = appendClaim(b, &f.Dialect.Server.Claims[i], f)
	}
	b = append(b, `"iss":`...)
	b = jwt.AppendString(b, f.Issuer.URL)
	b = append(b, `,"aud":`...)
	b = appendAudience(b, f.Grant.Audience)
	b = append(b, `,"sub":`...)
	b = jwt.AppendString(b, f.Client.ID)
	b = append(b, `,"client_id":`...)
	b = jwt.AppendString(b, f.Client.ID)
	iat := f.Now.Unix()
	b = append(b, `,"iat":`...)
	b = strconv.AppendInt(b, iat, 10)
	b = append(b, `,"exp":`...)
	b = strconv.AppendInt(b, iat+int64(f.Grant.Lifetime/time.Second), 10)
	b = append(b, `,"jti":"`...)
	b = strconv.AppendInt(b, f.Client.Epoch, 10)
	b = append(b, '.')
	b = f.Event.Append(b)
	return append(b, `"}`...)
}

// appendAudience writes a string for one audience (RFC 7519 §4.1.3).
func appendAudience(b []byte, audience []string) []byte {
	if len(audience) == 1 {
		return jwt.AppendString(b, audience[0])
	}
	b = append(b, '[')
	for i, a := range audience {
		if i > 0 {
			b = append(b, ',')
		}
		b = jwt.AppendString(b, a)
	}
	return append(b, ']')
}

// appendClaim writes one claim of the dialect with a comma after it, or nothing.
func appendClaim(b []byte, c *dialect.Claim, f Facts) []byte {
	if c.From == dialect.ClaimScope && len(f.Grant.Scope) > 0 {
		// A scope token needs no escape (RFC 6749 §3.3), but passes the one escaper like
		// every other string.
		return append(jwt.AppendString(appendName(b, c.Name), f.Grant.Scope.String()), ',')
	}
	if c.From == dialect.ClaimAudience {
		return append(appendAudience(appendName(b, c.Name), f.Grant.Audience), ',')
	}
	value := claimValue(c, f)
	switch {
	case value != "":
		return append(jwt.AppendString(appendName(b, c.Name), value), ',')
	case c.Empty == dialect.Null:
		return append(appendName(b, c.Name), "null,"...)
	}
	return b
}

func appendName(b []byte, name string) []byte { return append(jwt.AppendString(b, name), ':') }

func claimValue(c *dialect.Claim, f Facts) string {
	if c.From == "" {
		return c.Value
	}
	switch c.From {
	case dialect.ClaimClientID:
		return f.Client.ID
	case dialect.ClaimTenantID:
		return f.Client.Tenant
	case dialect.ClaimTier:
		return f.Client.Tier
	case dialect.ClaimEnvironment:
		return f.Issuer.Environment
	}
	kind, _ := c.From.BindingKind()
	if ids := f.Grant.Bindings[kind]; len(ids) == 1 { // a dialect binds a claim to a kind of which there is at most one
		return ids[0]
	}
	return ""
}
