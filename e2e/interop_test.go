package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// A client that nobody here wrote. It is not told how to send credentials: it
// tries Basic, URL-encoded, and after a refusal the body (D-13), which must
// lead to a token wherever the contract allows one of the two.
func TestOAuth2OfGo(t *testing.T) {
	extra := map[string]string{"rfc": "dialect: rfc", "trialbee": "dialect: trialbee", "arbitex": "dialect: arbitex", "imported": "dialect: rfc\nimported_secrets: true"}
	_, issuers := openLive(t, []string{"rfc", "trialbee", "arbitex", "imported"}, extra)
	for name, l := range issuers {
		path := map[string]string{"arbitex": "/api/oauth/token"}[name]
		if path == "" {
			path = "/oauth2/token"
		}
		t.Run(name, func(t *testing.T) {
			// More often than any limit on guessing would let through.
			for range 40 {
				c := clientcredentials.Config{ClientID: l.id, ClientSecret: l.secret, TokenURL: l.base + path, Scopes: []string{"a:read"}}
				token, err := c.Token(context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{}))
				if err != nil {
					t.Fatal(err)
				}
				if !token.Valid() || token.Type() != "Bearer" {
					t.Fatalf("%+v", token.Type())
				}
				l.verify(t, token.AccessToken)
			}
			wrong := clientcredentials.Config{ClientID: l.id, ClientSecret: "wrong", TokenURL: l.base + path}
			if _, err := wrong.Token(context.Background()); err == nil || !strings.Contains(err.Error(), "invalid_client") {
				t.Errorf("%v", err)
			}
		})
	}
}

// pythonVerify verifies a token of every algorithm by PyJWT, with a JWK set over
// HTTP.
const pythonVerify = `
import sys, jwt
base, audience, algorithm, token = sys.argv[1:]
key = jwt.PyJWKClient(base + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
claims = jwt.decode(token, key.key, algorithms=[algorithm], audience=audience, issuer=base, options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]})
assert claims["sub"] == claims["client_id"]
`

// A token of each algorithm verifies by go-jose and, where it is there, by PyJWT.
func TestEveryAlgorithmVerifiesElsewhere(t *testing.T) {
	names := []string{"es256", "eddsa", "rs256", "ps256"}
	algorithms := map[string]string{"es256": "ES256", "eddsa": "EdDSA", "rs256": "RS256", "ps256": "PS256"}
	extra := make(map[string]string)
	for name, a := range algorithms {
		extra[name] = "algorithm: " + a
	}
	_, issuers := openLive(t, names, extra)
	need(t, "PyJWT of python3", "python3", "-c", "import jwt, cryptography")
	for name, l := range issuers {
		t.Run(name, func(t *testing.T) {
			c := clientcredentials.Config{ClientID: l.id, ClientSecret: l.secret, TokenURL: l.base + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams}
			token, err := c.Token(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			l.verify(t, token.AccessToken)
			joseVerify(t, &l, token.AccessToken, jose.SignatureAlgorithm(algorithms[name]))
			out, err := exec.Command("python3", "-c", pythonVerify, l.base, l.audience, algorithms[name], token.AccessToken).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// joseVerify verifies a token by go-jose alone, with the published keys.
func joseVerify(t *testing.T, l *live, token string, algorithm jose.SignatureAlgorithm) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := parseKeys(l.jwks(t))
	if err != nil {
		t.Fatal(err)
	}
	found := keys.Key(jws.Signatures[0].Header.KeyID)
	if len(found) != 1 || !found[0].IsPublic() || found[0].Algorithm != string(algorithm) {
		t.Fatalf("%+v", found)
	}
	if _, err := jws.Verify(found[0]); err != nil {
		t.Error(err)
	}
}

// pythonClient gets a token by Authlib.
const pythonClient = `
import sys
from authlib.integrations.requests_client import OAuth2Session
base, id, secret, how = sys.argv[1:]
s = OAuth2Session(id, secret, token_endpoint_auth_method=how, scope="a:read")
token = s.fetch_token(base + "/oauth2/token", grant_type="client_credentials")
assert token["token_type"] == "Bearer" and token["expires_in"] == 3600, token
print(token["access_token"])
`

func TestAuthlib(t *testing.T) {
	need(t, "Authlib of python3", "python3", "-c", "from authlib.integrations.requests_client import OAuth2Session")
	_, issuers := openLive(t, []string{"rfc"}, nil)
	l := issuers["rfc"]
	for _, how := range []string{"client_secret_basic", "client_secret_post"} {
		out, err := exec.Command("python3", "-c", pythonClient, l.base, l.id, l.secret, how).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", how, err, out)
		}
		l.verify(t, strings.TrimSpace(string(out)))
	}
}
