package jwt

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/strictjson"
)

// Claims are the claims that this package reads (RFC 7519 §4.1, RFC 9068 §2.2).
// A text that is empty and a time that is zero were not there.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	Expires   time.Time
	IssuedAt  time.Time
	NotBefore time.Time
	ID        string // `jti`
	ClientID  string
	Scope     string
	Raw       json.RawMessage // the whole payload
}

// readClaims reads the payload. A claim of the wrong JSON type refuses the
// token. Times are whole seconds: RFC 7519 §2 would allow fractions and
// exponents, but then two readers may not agree on them (D-49).
func readClaims(payload []byte) (Claims, error) {
	members, err := strictjson.Object(payload)
	if err != nil {
		return Claims{}, ErrMalformed
	}
	c := Claims{Raw: payload}
	for _, m := range members {
		switch m.Name {
		case "iss":
			c.Issuer, err = strictjson.String(m.Value)
		case "sub":
			c.Subject, err = strictjson.String(m.Value)
		case "jti":
			c.ID, err = strictjson.String(m.Value)
		case "client_id":
			c.ClientID, err = strictjson.String(m.Value)
		case "scope":
			c.Scope, err = strictjson.String(m.Value)
		case "aud":
			c.Audience, err = readAudience(m.Value)
		case "exp":
			c.Expires, err = readTime(m.Value)
		case "iat":
			c.IssuedAt, err = readTime(m.Value)
		case "nbf":
			c.NotBefore, err = readTime(m.Value)
		}
		if err != nil {
			return Claims{}, ErrMalformed
		}
	}
	if c.Expires.IsZero() { // required: D-49
		return Claims{}, ErrMalformed
	}
	return c, nil
}

// readAudience reads a string or an array of strings (RFC 7519 §4.1.3).
func readAudience(raw []byte) ([]string, error) {
	if raw[0] == '"' {
		one, err := strictjson.String(raw)
		return []string{one}, err
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil || elements == nil {
		return nil, ErrMalformed
	}
	list := make([]string, 0, len(elements))
	for _, e := range elements {
		s, err := strictjson.String(e)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// lastSecond is the end of the year 9999.
const lastSecond = 253402300799

// readTime reads digits and nothing else.
func readTime(raw []byte) (time.Time, error) {
	if len(raw) > len("253402300799") {
		return time.Time{}, ErrMalformed
	}
	n, err := strconv.ParseUint(string(raw), 10, 63)
	if err != nil || n > lastSecond {
		return time.Time{}, ErrMalformed
	}
	return time.Unix(int64(n), 0).UTC(), nil
}
