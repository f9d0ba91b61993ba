package dialect

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern-dev/postern/oauth"
)

// single returns the one value of a header. many says that there is a second,
// which Header.Get would hide. The name is in canonical form.
func single(h http.Header, name string) (value string, present, many bool) {
	values := h[name]
	if len(values) == 0 {
		return "", false, false
	}
	return values[0], true, len(values) > 1
}

// maxBasic bounds the Authorization header that is looked at, in bytes.
const maxBasic = 16 << 10

// parseBasic reads Basic credentials (RFC 7617 §2): the scheme in any case,
// strictly padded base64, UTF-8 without control characters, a colon, and
// neither part empty. The parts are as they stood there, not URL-decoded.
func parseBasic(header string) (c oauth.Credentials, ok bool) {
	const scheme = "basic "
	if len(header) > maxBasic || len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return c, false
	}
	encoded := strings.TrimLeft(header[len(scheme):], " ")
	if strings.ContainsAny(encoded, "\r\n") { // which package base64 skips
		return c, false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || !utf8.Valid(decoded) {
		return c, false
	}
	text := string(decoded)
	clear(decoded)
	id, secret, colon := strings.Cut(text, ":")
	if !colon || id == "" || secret == "" || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return c, false
	}
	// Cloned, so that an id kept for long does not keep the secret.
	return oauth.Credentials{ID: strings.Clone(id), Secret: oauth.Secret(secret), Basic: true}, true
}
