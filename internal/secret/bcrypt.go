package secret

import (
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// What we take: a cost of 8 to 14.
const (
	minBcryptCost = 8
	maxBcryptCost = 14
	bcryptLength  = 60
	maxBcrypt     = 72 // bytes of a secret that bcrypt looks at
)

type bcryptHash struct{ text []byte }

// parseBcrypt reads `$2b$10$` and 53 characters of salt and hash.
func parseBcrypt(s string) (slow, error) {
	if len(s) != bcryptLength || s[3] != '$' || s[6] != '$' {
		return nil, ErrHash
	}
	switch s[:3] {
	case "$2a", "$2b", "$2y": // $2x$ is made by a broken implementation
	default:
		return nil, ErrHash
	}
	const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if strings.Trim(s[7:], alphabet) != "" || !isDigits(s[4:6]) {
		return nil, ErrHash
	}
	cost := int(s[4]-'0')*10 + int(s[5]-'0')
	if cost < minBcryptCost || cost > maxBcryptCost {
		return nil, ErrCost
	}
	return &bcryptHash{[]byte(s)}, nil
}

// verify refuses what bcrypt would not look at: more than 72 bytes (D-10), and
// NUL, after which it begins again, so that "a" and "a\x00a" would be one.
func (b *bcryptHash) verify(secret string) bool {
	if len(secret) > maxBcrypt || strings.IndexByte(secret, 0) >= 0 {
		return false
	}
	return bcrypt.CompareHashAndPassword(b.text, []byte(secret)) == nil
}

func (*bcryptHash) ours() bool { return false }

func (*bcryptHash) heavy() bool { return false }
