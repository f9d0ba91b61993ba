package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// A generated secret is the prefix, 43 characters that are 256 random bits in
// base64url, and 6 characters of checksum: the first 36 bits, in base64url, of
// the SHA-256 of all that stands before them. The prefix lets scanners find it,
// the checksum tells a find from a coincidence without asking anybody.
const (
	Prefix        = "pst_"
	randomBytes   = 32
	randomChars   = 43
	checksumChars = 6
	wholeLength   = len(Prefix) + randomChars + checksumChars
)

// MaxLength is the most bytes that a secret may have, ours or foreign. A longer
// one is refused before anything is computed (D-10).
const MaxLength = 256

// Generate makes a secret of 256 random bits that uses only A-Z a-z 0-9 - _ .
// (COM-04, COM-05).
func Generate() oauth.Secret {
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	b := append(make([]byte, 0, wholeLength), Prefix...)
	b = base64.RawURLEncoding.AppendEncode(b, random[:])
	sum := checksum(string(b))
	return oauth.Secret(append(b, sum[:]...))
}

// WellFormed reports whether s is such as Generate makes: prefix, length,
// characters and checksum hold.
func WellFormed(s string) bool {
	if len(s) != wholeLength || !strings.HasPrefix(s, Prefix) {
		return false
	}
	body := s[:len(Prefix)+randomChars]
	if _, err := base64.RawURLEncoding.Strict().DecodeString(body[len(Prefix):]); err != nil || strings.ContainsAny(body, "\r\n") {
		return false
	}
	sum := checksum(body)
	return subtle.ConstantTimeCompare(sum[:], []byte(s[len(body):])) == 1
}

func checksum(body string) (chars [checksumChars]byte) {
	sum := sha256.Sum256([]byte(body))
	var encoded [8]byte
	base64.RawURLEncoding.Encode(encoded[:], sum[:6])
	copy(chars[:], encoded[:])
	return chars
}

// checkLength refuses a secret that is empty or too long to be looked at.
func checkLength(s oauth.Secret) error {
	if s == "" || len(s) > MaxLength {
		return ErrLength
	}
	return nil
}
