package resourceserver

import "net/http"

// IdentityType is the `typ` of the identity tokens by which a Postern gateway tells the
// API behind it whose call it gets, for Issuer.Type. They are signed with keys of their
// own, which stand at `/.well-known/postern-identity-jwks.json` below the issuer's URL.
const IdentityType = "postern-identity+jwt"

// IdentityHeader carries them.
const IdentityHeader = "X-Postern-Identity"

// errIdentityRequest is ErrRequest, said of another header.
var errIdentityRequest error = identityError{}

type identityError struct{}

func (identityError) Error() string {
	return "request does not carry its identity token in one well-formed " + IdentityHeader + " header"
}

func (identityError) Is(target error) bool { return target == ErrRequest }

// IdentityToken reads the token of IdentityHeader, for Config.Token of an API behind a
// Postern gateway. Without one the error is ErrNoToken; with two, or one that is no JWT in
// its compact form (RFC 7515 §7.1), it is ErrRequest. An access token in the
// Authorization header is not looked at.
func IdentityToken(r *http.Request) (string, error) {
	values := r.Header[IdentityHeader]
	switch {
	case len(values) > 1:
		return "", errIdentityRequest
	case len(values) == 0 || values[0] == "":
		return "", ErrNoToken
	case !compact(values[0]):
		return "", errIdentityRequest
	}
	return values[0], nil
}

// compact reports whether s is made of the characters of a compact JWS: those of base64url
// without padding, and dots.
func compact(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
