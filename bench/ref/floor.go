package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

const (
	issuer   = "https://floor.example"
	audience = "https://api.example"
	lifetime = 3600 // seconds
)

// floor is the token endpoint.
type floor struct {
	header  []byte // of every token: base64url, with the dot after it
	sign    func(input []byte) ([]byte, error)
	public  crypto.PublicKey
	pepper  []byte
	clients map[string][sha256.Size]byte // id → HMAC of the secret
	now     func() time.Time
}

func newFloor(algorithm string, clients []fixture.Client, now func() time.Time) (*floor, error) {
	f := &floor{pepper: make([]byte, 32), clients: make(map[string][sha256.Size]byte, len(clients)), now: now}
	_, _ = rand.Read(f.pepper) // never fails (crypto/rand)
	for _, c := range clients {
		f.clients[c.ID] = [sha256.Size]byte(f.mac(c.ID, c.Secret))
	}
	var err error
	switch algorithm {
	case "ES256":
		err = f.useES256()
	case "EdDSA":
		err = f.useEdDSA()
	default:
		err = fmt.Errorf("algorithm %q: ES256 or EdDSA", algorithm)
	}
	header := `{"alg":"` + algorithm + `","typ":"at+jwt","kid":"0123456789abcdef0123456789abcdef0123456789a"}`
	f.header = append(base64.RawURLEncoding.AppendEncode(nil, []byte(header)), '.')
	return f, err
}

func (f *floor) useES256() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	f.public = key.Public()
	f.sign = func(input []byte) ([]byte, error) {
		digest := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		signature := make([]byte, 64) // RFC 7518 §3.4: R ‖ S
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, nil
	}
	return nil
}

func (f *floor) useEdDSA() error {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	f.public = public
	f.sign = func(input []byte) ([]byte, error) { return ed25519.Sign(key, input), nil }
	return nil
}

func (f *floor) mac(id, secret string) []byte {
	mac := hmac.New(sha256.New, f.pepper)
	mac.Write([]byte(id))
	mac.Write([]byte{0})
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// ServeHTTP answers a token request (RFC 6749 §4.4.2) with credentials in the body.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, "invalid_request")
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	form := r.PostForm
	if form.Get("grant_type") != "client_credentials" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	id := form.Get("client_id")
	want, known := f.clients[id]
	if !hmac.Equal(f.mac(id, form.Get("client_secret")), want[:]) || !known {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token, err := f.token(id, form.Get("scope"))
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error")
		return
	}
	body := make([]byte, 0, len(token)+80)
	body = append(body, `{"access_token":"`...)
	body = append(body, token...)
	body = append(body, `","token_type":"Bearer","expires_in":`...)
	body = strconv.AppendInt(body, lifetime, 10)
	answer(w, http.StatusOK, append(body, '}'))
}

// token signs the eight claims. Ids of clients and scopes are those of the
// harness and need no escaping.
func (f *floor) token(client, scope string) ([]byte, error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	now := f.now().Unix()
	claims := make([]byte, 0, 512)
	claims = append(claims, `{"iss":"`+issuer+`","aud":"`+audience+`","sub":"`...)
	claims = append(claims, client...)
	claims = append(claims, `","client_id":"`...)
	claims = append(claims, client...)
	claims = append(claims, `","iat":`...)
	claims = strconv.AppendInt(claims, now, 10)
	claims = append(claims, `,"exp":`...)
	claims = strconv.AppendInt(claims, now+lifetime, 10)
	claims = append(claims, `,"jti":"`...)
	claims = base64.RawURLEncoding.AppendEncode(claims, random[:])
	claims = append(claims, `","scope":"`...)
	claims = append(claims, scope...)
	claims = append(claims, `"}`...)

	token := make([]byte, 0, 1024)
	token = append(token, f.header...)
	token = base64.RawURLEncoding.AppendEncode(token, claims)
	signature, err := f.sign(token)
	if err != nil {
		return nil, err
	}
	token = append(token, '.')
	return base64.RawURLEncoding.AppendEncode(token, signature), nil
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, []byte(`{"error":"`+code+`"}`))
}

func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the peer is gone: nobody to tell
}
