package jwt

import (
	"strings"

	"github.com/postern-dev/postern/internal/strictjson"
)

// Header is what a token says of itself (RFC 7515 §4).
type Header struct {
	Algorithm Algorithm // as it stands there, on the list or not
	Type      string    // `typ`; empty where there is none
	KeyID     string    // `kid`; empty where there is none
}

// parsed is a token taken apart.
type parsed struct {
	header  Header
	payload []byte
}

// Parse takes a token apart and verifies nothing: what it returns may be
// anybody's invention. The form is judged as Verify judges it, but any `alg` is
// let through. It returns ErrTooLarge or ErrMalformed.
func Parse(token string) (Header, []byte, error) {
	p, err := parse(token)
	if err != nil {
		return Header{}, nil, err
	}
	return p.header, p.payload, nil
}

// ParseClaims is Parse for whoever needs the claims before there are keys, to see
// whose token it would be. A claim of the wrong kind is ErrMalformed.
func ParseClaims(token string) (Header, Claims, error) {
	p, err := parse(token)
	if err != nil {
		return Header{}, Claims{}, err
	}
	claims, err := readClaims(p.payload)
	if err != nil {
		return Header{}, Claims{}, err
	}
	return p.header, claims, nil
}

func parse(token string) (parsed, error) {
	if len(token) > MaxSize { // D-52
		return parsed{}, ErrTooLarge
	}
	// Two dots, counted before anything is allocated: four would be a JWE (D-46).
	if strings.Count(token, ".") != 2 {
		return parsed{}, ErrMalformed
	}
	head, rest, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(rest, ".")
	if head == "" || body == "" || signature == "" {
		return parsed{}, ErrMalformed
	}
	if _, err := decode(signature); err != nil {
		return parsed{}, err
	}
	raw, err := decode(head)
	if err != nil {
		return parsed{}, err
	}
	header, err := parseHeader(raw)
	if err != nil {
		return parsed{}, err
	}
	payload, err := decode(body)
	if err != nil {
		return parsed{}, err
	}
	if _, err := strictjson.Object(payload); err != nil { // D-50
		return parsed{}, ErrMalformed
	}
	return parsed{header, payload}, nil
}

// parseHeader reads the header. Names are case-exact, and none occurs twice.
func parseHeader(raw []byte) (Header, error) {
	members, err := strictjson.Object(raw)
	if err != nil {
		return Header{}, ErrMalformed
	}
	var h Header
	for _, m := range members {
		var into *string
		switch m.Name {
		case "alg":
			into = (*string)(&h.Algorithm)
		case "typ":
			into = &h.Type
		case "kid":
			into = &h.KeyID
		case "jwk", "jku", "x5u", "x5c": // D-44: the token does not choose its key
			return Header{}, ErrMalformed
		case "crit", "b64": // D-45: there is no extension that we understand
			return Header{}, ErrMalformed
		case "enc", "zip", "cty": // D-46: neither encrypted nor compressed nor nested
			return Header{}, ErrMalformed
		default:
			continue // RFC 7515 §4: ignored
		}
		if *into, err = strictjson.String(m.Value); err != nil || *into == "" {
			return Header{}, ErrMalformed
		}
	}
	if h.Algorithm == "" || len(h.KeyID) > maxKIDBytes {
		return Header{}, ErrMalformed // D-41
	}
	return h, nil
}

// sameType compares media types as RFC 7515 §4.1.9 and RFC 9068 §4 do: without
// regard to case, `application/` left out or not.
func sameType(got, want string) bool {
	return strings.EqualFold(shortType(got), shortType(want))
}

func shortType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) && !strings.Contains(typ[len(prefix):], "/") {
		return typ[len(prefix):]
	}
	return typ
}
