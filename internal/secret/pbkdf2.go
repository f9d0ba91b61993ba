package secret

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

const pbkdf2Prefix = "$pbkdf2-sha256$"

// What we take: 1,000 to 1,000,000 iterations, a salt of 8 to 64 bytes and a
// hash of 16 to 64.
const (
	minIterations = 1_000
	maxIterations = 1_000_000
)

type pbkdf2Hash struct {
	iterations int
	salt, sum  []byte
}

// parsePBKDF2 reads `i=25000,l=32$salt$hash`, as Hydra writes it, and
// `29000$salt$hash`, as passlib does, which has `.` for `+`.
func parsePBKDF2(rest string) (slow, error) {
	fields := strings.Split(rest, "$")
	if len(fields) != 3 {
		return nil, ErrHash
	}
	cost, length, hydra := strings.Cut(fields[0], ",")
	name, size := "", 0
	if hydra {
		var err error
		if size, err = number(length, "l="); err != nil {
			return nil, err
		}
		name = "i="
	} else {
		for i := 1; i < 3; i++ {
			if strings.Contains(fields[i], "+") {
				return nil, ErrHash
			}
			fields[i] = strings.ReplaceAll(fields[i], ".", "+")
		}
	}
	h := &pbkdf2Hash{}
	var err error
	if h.iterations, err = number(cost, name); err != nil {
		return nil, err
	}
	if h.iterations < minIterations || h.iterations > maxIterations {
		return nil, ErrCost
	}
	if h.salt, err = decode64(fields[1], minSalt, maxSalt); err != nil {
		return nil, err
	}
	if h.sum, err = decode64(fields[2], minHash, maxHash); err != nil {
		return nil, err
	}
	if hydra && size != len(h.sum) {
		return nil, ErrHash
	}
	return h, nil
}

func (h *pbkdf2Hash) verify(secret string) bool {
	sum, err := pbkdf2.Key(sha256.New, secret, h.salt, h.iterations, len(h.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1
}

func (*pbkdf2Hash) ours() bool { return false }

func (*pbkdf2Hash) heavy() bool { return false }
