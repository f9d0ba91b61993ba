package oauthtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// ClientID is the client that tokens are made for, unless one says otherwise.
const ClientID = "oauthtest-client"

// Lifetime of a token.
const Lifetime = 10 * time.Minute

// Claims are added to those of a good token, or replace them; a nil one is left out.
type Claims map[string]any

// Token is a good token with this scope.
func (i *Issuer) Token(scope string) string { return i.With(Claims{"scope": scope}) }

// With is a good token but for these claims.
func (i *Issuer) With(c Claims) string { return i.sign(resourceserver.AccessToken, c) }

// Identity is what a Postern gateway tells the API behind it of a call, with these claims
// added or replaced. It lives a minute.
func (i *Issuer) Identity(c Claims) string {
	all := Claims{"exp": i.Now().Add(time.Minute).Unix()}
	maps.Copy(all, c)
	return i.sign(resourceserver.IdentityType, all)
}

// Expired is a token that was good until a second ago.
func (i *Issuer) Expired(scope string) string {
	now := i.Now()
	return i.With(Claims{"scope": scope, "iat": now.Add(-Lifetime).Unix(), "exp": now.Add(-time.Second).Unix()})
}

// RevokedToken makes a token that is good in all else: see Revoke.
func (i *Issuer) RevokedToken(scope string) string {
	token := i.Token(scope)
	i.Revoke(token)
	return token
}

// WrongAudience is a good token for somebody else.
func (i *Issuer) WrongAudience(scope string) string {
	return i.With(Claims{"scope": scope, "aud": i.Audience + ".elsewhere.example"})
}

// WrongType says that it is an ID token or another JWT of the same issuer.
func (i *Issuer) WrongType(scope string) string { return i.OfType("JWT", scope) }

// OfType is a good token but for its `typ`.
func (i *Issuer) OfType(typ, scope string) string { return i.sign(typ, Claims{"scope": scope}) }

// Foreign says all that a good token says, signed with a key that the issuer does
// not have, under the id of one that it has.
func (i *Issuer) Foreign(scope string) string {
	key := must(jwt.Generate(jwt.ES256, rand.Reader))
	key.ID = i.current().ID
	return signed(key, resourceserver.AccessToken, i.payload(Claims{"scope": scope}))
}

// OtherIssuer is a good token of an issuer that nobody knows.
func (i *Issuer) OtherIssuer(scope string) string {
	return i.With(Claims{"scope": scope, "iss": i.URL + "/elsewhere"})
}

// Unsigned has `alg` none and no signature (RFC 8725 §3.1).
func (i *Issuer) Unsigned(scope string) string {
	return i.header("none") + "." + base64.RawURLEncoding.EncodeToString(i.payload(Claims{"scope": scope})) + "."
}

// Tampered is a good token whose scope was changed after it was signed.
func (i *Issuer) Tampered(scope string) string {
	parts := strings.Split(i.Token(""), ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(i.payload(Claims{"scope": scope}))
	return strings.Join(parts, ".")
}

func (i *Issuer) header(alg string) string {
	return base64.RawURLEncoding.EncodeToString(
		must(json.Marshal(map[string]string{"alg": alg, "typ": resourceserver.AccessToken, "kid": i.current().ID})))
}

func (i *Issuer) current() *jwt.PrivateKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.key
}

// payload is what a good token says, changed by c.
func (i *Issuer) payload(c Claims) []byte {
	now := i.Now()
	all := Claims{
		"iss": i.URL, "aud": i.Audience, "sub": ClientID, "client_id": ClientID, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(Lifetime).Unix(),
	}
	maps.Copy(all, c)
	maps.DeleteFunc(all, func(name string, v any) bool { return v == nil || (name == "scope" && v == "") })
	return must(json.Marshal(all))
}

func (i *Issuer) sign(typ string, c Claims) string { return signed(i.current(), typ, i.payload(c)) }

func signed(key *jwt.PrivateKey, typ string, payload []byte) string {
	s := must(jwt.NewSigner(key, typ))
	return string(must(s.Sign(nil, payload)))
}
