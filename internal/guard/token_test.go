package guard_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// payload is what a good token of c1 says, with changes; nil takes a claim away.
func (n *town) payload(changes map[string]any) string {
	n.t.Helper()
	now := n.clock().Unix()
	claims := map[string]any{
		"iss": "https://auth.example.com", "aud": "urn:reports", "sub": "c1", "client_id": "c1", "iat": now, "exp": now + 3600,
		"jti": "1." + domain.NewEventID(n.clock()).String(), "scope": "read",
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	if _, said := changes["sub"]; !said && claims["client_id"] != nil {
		claims["sub"] = claims["client_id"] // as every token of a client has it
	}
	b, err := json.Marshal(claims)
	n.check(err)
	return string(b)
}

// sign signs a payload with the issuer's own key, under a header of the type given.
func (n *town) sign(issuer, typ, payload string) string {
	n.t.Helper()
	s, err := jwt.NewSigner(n.find(issuer).Signer(n.clock()).Key(), typ)
	n.check(err)
	jws, err := s.Sign(nil, []byte(payload))
	n.check(err)
	return string(jws)
}

// forge puts a header and a payload before a signature of zeros, unless another is given.
func forge(header, payload string, signature ...string) string {
	if len(signature) == 0 {
		signature = []string{base64.RawURLEncoding.EncodeToString(make([]byte, 64))}
	}
	return b64(header) + "." + b64(payload) + "." + signature[0]
}

// Whatever is wrong with a token: refused, and like any other (RFC 8725, D-72).
func TestBadTokens(t *testing.T) {
	n := newTown(t)
	good := n.token("main", "c1", "read")
	kid := n.find("main").Signer(start).Key().ID
	parts := strings.Split(good, ".")
	say := func(changes map[string]any) string { return n.sign("main", "at+jwt", n.payload(changes)) }
	header := func(more string) string { return `{"alg":"ES256","typ":"at+jwt","kid":"` + kid + `"` + more + `}` }
	hmacOf := func(header string, key []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(b64(header) + "." + b64(n.payload(nil))))
		return forge(header, n.payload(nil), base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	}
	jwk, err := n.find("main").Signer(start).Key().Public().MarshalJWK()
	n.check(err)
	hs := `{"alg":"HS256","typ":"at+jwt","kid":"` + kid + `"}`
	for name, token := range map[string]string{
		"D-41 alg none":                             forge(`{"alg":"none","typ":"at+jwt","kid":"`+kid+`"}`, n.payload(nil)),
		"D-41 alg none without a signature":         forge(`{"alg":"none"}`, n.payload(nil), ""),
		"D-41 alg in another case":                  forge(`{"alg":"es256","typ":"at+jwt","kid":"`+kid+`"}`, n.payload(nil), parts[2]),
		"D-41 no alg":                               forge(`{"typ":"at+jwt","kid":"`+kid+`"}`, n.payload(nil)),
		"D-42 HMAC with the public key":             hmacOf(hs, jwk),
		"D-42 HMAC with nothing":                    hmacOf(hs, nil),
		"D-43 kid is a path":                        forge(`{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}`, n.payload(nil)),
		"D-43 kid is SQL":                           forge(`{"alg":"ES256","typ":"at+jwt","kid":"x' OR '1'='1"}`, n.payload(nil)),
		"D-43 no kid":                               forge(`{"alg":"ES256","typ":"at+jwt"}`, n.payload(nil)),
		"D-44 jwk in the header":                    forge(header(`,"jwk":`+string(jwk)), n.payload(nil), parts[2]),
		"D-44 jku in the header":                    forge(header(`,"jku":"https://evil.example/jwks"`), n.payload(nil), parts[2]),
		"D-44 x5u in the header":                    forge(header(`,"x5u":"https://evil.example"`), n.payload(nil), parts[2]),
		"D-45 crit":                                 forge(header(`,"crit":["x"],"x":1`), n.payload(nil), parts[2]),
		"D-45 b64 false":                            forge(header(`,"crit":["b64"],"b64":false`), n.payload(nil), parts[2]),
		"D-46 JWE":                                  "a.b.c.d.e",
		"D-46 nested":                               forge(header(`,"cty":"JWT"`), good, parts[2]),
		"D-47 an ID token":                          n.sign("main", "JWT", n.payload(nil)),
		"D-47 a DPoP proof":                         n.sign("main", "dpop+jwt", n.payload(nil)),
		"D-47 no type":                              n.sign("main", "", n.payload(nil)),
		"D-48 another audience":                     say(map[string]any{"aud": "urn:other"}),
		"D-48 audience by prefix":                   say(map[string]any{"aud": "urn:reports/"}),
		"D-48 audiences without ours":               say(map[string]any{"aud": []string{"urn:reports2", "URN:REPORTS"}}),
		"D-48 no audience":                          say(map[string]any{"aud": nil}),
		"D-48 another issuer":                       say(map[string]any{"iss": "https://evil.example"}),
		"D-48 the issuer with a slash":              say(map[string]any{"iss": "https://auth.example.com/"}),
		"D-48 no issuer":                            say(map[string]any{"iss": nil}),
		"D-49 no exp":                               say(map[string]any{"exp": nil}),
		"D-49 exp is text":                          say(map[string]any{"exp": "4102444800"}),
		"D-49 exp is negative":                      say(map[string]any{"exp": -1}),
		"D-49 exp is no whole number":               say(map[string]any{"exp": json.RawMessage("4102444800.5")}),
		"D-49 exp is huge":                          say(map[string]any{"exp": json.RawMessage("1e400")}),
		"D-49 expired":                              say(map[string]any{"exp": start.Unix()}),
		"D-49 nbf in the future":                    say(map[string]any{"nbf": start.Add(6 * time.Second).Unix()}),
		"D-49 iat in the future":                    say(map[string]any{"iat": start.Add(6 * time.Second).Unix()}),
		"D-50 a claim twice":                        n.sign("main", "at+jwt", strings.Replace(n.payload(nil), "{", `{"client_id":"wide",`, 1)),
		"D-50 a claim twice by an escape":           n.sign("main", "at+jwt", strings.Replace(n.payload(nil), "{", `{"client\u005fid":"wide",`, 1)),
		"D-51 a psychic signature":                  forge(header(""), n.payload(nil)),
		"D-51 DER for raw":                          forge(header(""), n.payload(nil), b64("\x30\x06\x02\x01\x01\x02\x01\x01")),
		"D-52 too large":                            good + strings.Repeat("A", jwt.MaxSize),
		"D-52 many dots":                            strings.Repeat(".", 5000),
		"D-53 stray bits":                           parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + strayBit(parts[2]),
		"D-54 no client_id":                         say(map[string]any{"client_id": nil}),
		"D-54 no client_id, but a user":             say(map[string]any{"client_id": nil, "sub": "someone@example.com"}),
		"D-54 a user's token by way of the client":  say(map[string]any{"sub": "someone@example.com"}),
		"D-54 client_id is a list":                  say(map[string]any{"client_id": []string{"c1"}}),
		"D-57 of stage":                             n.token("stage", "c1", ""),
		"D-57 signed by stage":                      n.sign("stage", "at+jwt", n.payload(nil)),
		"D-38 no epoch":                             say(map[string]any{"jti": domain.NewEventID(start).String()}),
		"D-38 another epoch":                        say(map[string]any{"jti": "2." + domain.NewEventID(start).String()}),
		"D-38 an epoch of another spelling":         say(map[string]any{"jti": "01." + domain.NewEventID(start).String()}),
		"D-38 an epoch with a sign":                 say(map[string]any{"jti": "+1." + domain.NewEventID(start).String()}),
		"D-38 an epoch that is no number of 64 bit": say(map[string]any{"jti": "18446744073709551617." + domain.NewEventID(start).String()}),
		"D-38 no epoch before the point":            say(map[string]any{"jti": "." + domain.NewEventID(start).String()}),
		"D-38 an epoch, and no event":               say(map[string]any{"jti": "1.1"}),
		"no client of that id":                      say(map[string]any{"client_id": "nobody"}),
		"a client of another issuer":                say(map[string]any{"client_id": "a1"}),
	} {
		t.Run(name, func(t *testing.T) {
			v := n.get(base+"/me", token)
			if v.Reason() != guard.TokenInvalid || !errors.Is(v.Err, resourceserver.ErrToken) || v.Client != nil || v.Limit.Known {
				t.Errorf("%q: %v", v.Reason(), v.Err)
			}
		})
	}
	for name, token := range map[string]string{
		"as it is":                         good,
		"by the forger of this test":       say(nil),
		"D-48 one of several audiences":    say(map[string]any{"aud": []string{"urn:other", "urn:reports"}}),
		"D-49 nbf within what clocks have": say(map[string]any{"nbf": start.Add(5 * time.Second).Unix()}),
	} {
		if v := n.get(base+"/me", token); v.Err != nil {
			t.Errorf("%s: %v", name, v.Err)
		}
	}
}

// strayBit is the last character of a signature with a bit set that decodes to nothing.
func strayBit(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	return string(alphabet[last|1])
}

// D-55: what the dialect says of every token is there exactly so, as a string.
func TestConstantClaims(t *testing.T) {
	n := newTown(t)
	claims := map[string]any{"iss": "https://arb.example.com", "aud": "urn:chat", "sub": "a1", "client_id": "a1", "scope": "audit:read"}
	for name, c := range map[string]struct {
		value any
		want  guard.Reason
	}{
		"as it is":         {"m2m", ""},
		"in another case":  {"M2M", guard.TokenInvalid},
		"a list":           {[]string{"m2m"}, guard.TokenInvalid},
		"not there, D-54":  {nil, guard.TokenInvalid},
		"of a user":        {"user", guard.TokenInvalid},
		"a number":         {1, guard.TokenInvalid},
		"with a space":     {"m2m ", guard.TokenInvalid},
		"an object of it":  {map[string]string{"m2m": "m2m"}, guard.TokenInvalid},
		"with NUL, D-55":   {"m2m\x00", guard.TokenInvalid},
		"true":             {true, guard.TokenInvalid},
		"empty":            {"", guard.TokenInvalid},
		"null is no value": {json.RawMessage("null"), guard.TokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(claims)
			changed["token_type"] = c.value
			n.want(n.get("https://arb.example.com/audit", n.sign("arb", "JWT", n.payload(changed))), c.want)
		})
	}
}

// D-72: a token that is dead is a token that is forged, to whoever asks; and for all of
// them a client is unknown.
func TestDeadTokens(t *testing.T) {
	key := func(n *town) domain.Key {
		list, err := n.db.Read().Keys.List(t.Context(), domain.Page{Prefix: "main/"})
		n.check(err)
		return list[0]
	}
	for name, kill := range map[string]func(n *town){
		"ARB-10 deleted":  func(n *town) { remove(n, clients, "main/c1") },
		"ARB-10 disabled": func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Status = domain.Disabled }) },
		"killed":          func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ }) },
		"D-40 recreated under the same id": func(n *town) {
			row, err := n.db.Read().Clients.Get(t.Context(), "main/c1")
			n.check(err)
			remove(n, clients, "main/c1")
			row.Epoch, row.Version = row.Epoch+1, 0
			put(n, clients, row)
		},
		"past its end": func(n *town) {
			end := start.Add(time.Minute)
			update(n, clients, "main/c1", func(c *domain.Client) { c.ValidUntil = &end })
			n.want(n.get(base+"/me", n.token("main", "c1", "")), "")
			n.wait(time.Minute)
			n.check(n.snap.Poll(t.Context()))
		},
		"COM-12 without this audience": func(n *town) {
			update(n, clients, "main/c1", func(c *domain.Client) { c.Audiences = []string{"urn:other"} })
		},
		"of an issuer that the API no longer trusts": func(n *town) {
			update(n, apis, "reports", func(a *domain.API) { a.Issuers, a.Hosts = []string{"stage"}, []string{"reports.example.com"} })
		},
		"the API is for another audience": func(n *town) { update(n, apis, "reports", func(a *domain.API) { a.Audience = "urn:else" }) },
		"D-58 key killed":                 func(n *town) { remove(n, keyRows, key(n).Key()) },
		"D-58 key killed, another of its id": func(n *town) {
			issuer := n.find("main").Issuer
			other, err := keys.Make(&issuer, n.vault.Ring, start, start)
			n.check(err)
			private, err := keys.Open(&other, n.vault.Ring)
			n.check(err)
			private.ID = key(n).ID
			jwk, err := private.MarshalJWK()
			n.check(err)
			replaced, err := keys.Import(&issuer, jwk, n.vault.Ring, start, keys.ImportOptions{Sign: true})
			n.check(err)
			update(n, keyRows, key(n).Key(), func(k *domain.Key) { replaced.Version = k.Version; *k = replaced })
		},
		"D-58 key retired, and its overlap over": func(n *town) {
			end := start.Add(time.Minute)
			update(n, keyRows, key(n).Key(), func(k *domain.Key) { k.SignUntil, k.Expires = &end, &end })
			n.wait(time.Minute - 1)
			n.check(n.snap.Poll(t.Context()))
			n.want(n.get(base+"/me", n.token("main", "c1", "")), "")
			n.wait(1)
		},
		"expired": func(n *town) {
			for range 60 {
				n.wait(time.Minute)
				n.check(n.snap.Poll(t.Context()))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t)
			token := n.token("main", "c1", "read")
			alive := n.get("https://reports.example.com/v1/me", token)
			n.want(alive, "") // now it is in the cache
			kill(n)
			for _, from := range []string{"remembered", "seen for the first time"} {
				v := n.get("https://reports.example.com/v1/me", token)
				if v.Reason() != guard.TokenInvalid || !errors.Is(v.Err, resourceserver.ErrToken) || v.Client != nil || v.Limit.Known {
					t.Errorf("%s: %q, %v", from, v.Reason(), v.Err)
				}
				n.guard = guard.New(n.guard.Config)
			}
			if name != "expired" && n.guard.Alive(t.Context(), &alive) { // D-70
				t.Error("a stream goes on")
			}
		})
	}
}

// ARB-10: enabled again, made again: good secrets fetch anew.
func TestRecreated(t *testing.T) {
	n := newTown(t)
	update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ })
	n.want(n.get(base+"/me", n.token("main", "c1", "read")), "")
}

// RULES "Keys and tokens": tokens of another system, under its key and for a time.
func TestImportedKeys(t *testing.T) {
	for name, c := range map[string]struct {
		without time.Duration // zero: never
		change  func(n *town)
		want    guard.Reason
	}{
		"before its end": {time.Minute, nil, ""},
		"theirs with a point, like an epoch that is none": {time.Minute, nil, ""},
		"after its end":    {time.Second, func(n *town) { n.wait(time.Second) }, guard.TokenInvalid},
		"never":            {0, nil, guard.TokenInvalid},
		"of a killed one":  {time.Minute, func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ }) }, guard.TokenInvalid},
		"key withdrawn":    {time.Minute, func(n *town) { remove(n, keyRows, "main/theirs") }, guard.TokenInvalid},
		"key not imported": {time.Minute, func(n *town) { update(n, keyRows, "main/theirs", func(k *domain.Key) { k.Imported = false }) }, guard.TokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t)
			private, err := jwt.Generate(jwt.RS256, nil)
			n.check(err)
			private.ID = "theirs"
			jwk, err := private.MarshalJWK()
			n.check(err)
			opts := keys.ImportOptions{}
			if c.without > 0 {
				until := start.Add(c.without)
				opts.WithoutEpochUntil = &until
			}
			issuer := n.find("main").Issuer
			k, err := keys.Import(&issuer, jwk, n.vault.Ring, start, opts)
			n.check(err)
			put(n, keyRows, k)
			signer, err := jwt.NewSigner(private, "at+jwt")
			n.check(err)
			jti := "4d7c1f60-theirs"
			if strings.Contains(name, "point") {
				jti = "4d7c." + domain.NewEventID(start).String()
			}
			jws, err := signer.Sign(nil, []byte(n.payload(map[string]any{"jti": jti})))
			n.check(err)
			if c.change != nil {
				c.change(n)
			}
			n.want(n.get(base+"/me", string(jws)), c.want)
		})
	}
}

// Symmetric keys verify in this process, those that only verify too.
func TestSymmetric(t *testing.T) { // BIP-07
	n := newTown(t)
	n.want(n.get("https://arb.example.com/audit", n.token("arb", "a1", "")), "")
	private, err := jwt.Generate(jwt.HS256, nil)
	n.check(err)
	private.ID = "theirs"
	jwk, err := private.MarshalJWK()
	n.check(err)
	issuer := n.find("arb").Issuer
	k, err := keys.Import(&issuer, jwk, n.vault.Ring, start, keys.ImportOptions{})
	n.check(err)
	put(n, keyRows, k)
	signer, err := jwt.NewSigner(private, "JWT")
	n.check(err)
	claims := map[string]any{"iss": "https://arb.example.com", "aud": "urn:chat", "client_id": "a1", "scope": "audit:read", "token_type": "m2m"}
	jws, err := signer.Sign(nil, []byte(n.payload(claims)))
	n.check(err)
	n.want(n.get("https://arb.example.com/audit", string(jws)), "")
	remove(n, keyRows, k.Key())
	n.want(n.get("https://arb.example.com/audit", string(jws)), guard.TokenInvalid)
}

// A verdict prints no token.
func TestNoTokenInErrors(t *testing.T) {
	n := newTown(t)
	good := n.token("main", "c1", "read")
	for _, token := range []string{tampered(good), good + "x", n.token("stage", "c1", "")} {
		v := n.get(base+"/me", token)
		if text := fmt.Sprintf("%+v", v.Err); strings.Contains(text, token[len(token)-30:]) || strings.Contains(text, "eyJ") {
			t.Errorf("the error tells the token: %s", text)
		}
	}
}
