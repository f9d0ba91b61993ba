package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

// Whether a signature is right and whether a token has expired are two questions.
func TestInspectTellsSignatureFromTime(t *testing.T) {
	key, err := jwt.Generate(jwt.ES256, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwt.NewSigner(key, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := jwt.MarshalJWKS([]jwt.PublicKey{key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	published := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jwks) }))
	defer published.Close()
	now := time.Now().Unix()
	for _, tc := range []struct {
		name     string
		iat, exp int64
		forged   bool
		want     string
		code     int
		says     string
	}{
		{"good", now, now + 60, false, "valid", 0, "no words"},
		{"forged", now, now + 60, true, "invalid", 1, "token has a wrong signature"},
		{"expired", now - 60, now - 1, false, "valid", 1, "token has expired"},
		{"expired and forged", now - 60, now - 1, true, "invalid", 1, "token has expired"},
		{"of tomorrow", now + 3600, now + 7200, false, "valid", 1, "token is not valid yet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			token, err := signer.Sign(nil, fmt.Appendf(nil, `{"iss":"https://id.example.com","aud":"a","iat":%d,"exp":%d}`, tc.iat, tc.exp))
			if err != nil {
				t.Fatal(err)
			}
			if tc.forged {
				i := bytes.LastIndexByte(token, '.') + 1
				token[i] = map[bool]byte{true: 'B', false: 'A'}[token[i] == 'A']
			}
			var out, words bytes.Buffer
			code := run(t.Context(), []string{"token", "inspect", "--json", "--jwks", published.URL}, &streams{bytes.NewReader(token), &out, &words})
			if code != tc.code || !strings.Contains(out.String(), `"signature": "`+tc.want+`"`) || !strings.Contains(words.String()+"no words", tc.says) {
				t.Errorf("exit %d\n%s%s", code, out.String(), words.String())
			}
		})
	}
}
