package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// begun is a sign-in that was begun: a value that only one browser has. Its state, nonce and
// PKCE verifier (RFC 7636) follow from it one way, so nothing need be kept for browsers that
// never come back.
type begun string

// newBegun makes one: 256 random bits, and when.
func newBegun(now time.Time) begun {
	return begun(randomText() + "." + strconv.FormatInt(now.Unix(), 10))
}

// alive reports whether it is well-formed, and not older than beginLives.
func (b begun) alive(now time.Time) bool {
	random, at, ok := strings.Cut(string(b), ".")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || len(random) != tokenChars {
		return false
	}
	age := now.Sub(time.Unix(seconds, 0))
	return age >= 0 && age < beginLives
}

func (b begun) derive(use string) string {
	sum := sha256.Sum256([]byte(use + "\x00" + string(b)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (b begun) state() string    { return b.derive("state") }
func (b begun) nonce() string    { return b.derive("nonce") }
func (b begun) verifier() string { return b.derive("verifier") } // 43 characters, as RFC 7636 §4.1 wants
