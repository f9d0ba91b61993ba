package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/postern-dev/postern/oauth"
)

const argon2idPrefix = "$argon2id$"

// What we make (OWASP's second choice): 19 MiB, two passes, one lane.
const (
	ourMemory  = 19456 // KiB
	ourPasses  = 2
	ourLanes   = 1
	ourSalt    = 16
	ourHashLen = 32
)

// What we take: memory of 4 to 64 MiB, 1 to 10 passes, 1 to 4 lanes, a salt of 8
// to 64 bytes and a hash of 16 to 64.
const (
	minMemory = 4 << 10 // KiB
	maxMemory = 64 << 10
	maxPasses = 10
	maxLanes  = 4
	minSalt   = 8
	maxSalt   = 64
	minHash   = 16
	maxHash   = 64
)

type argon2id struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

// HashImported hashes a secret that may be a word: argon2id in PHC form, with 19
// MiB, two passes, one lane. It takes as long as a Verify, so what a request from
// outside can cause goes through a Gate too. It returns ErrLength.
func HashImported(s oauth.Secret) (string, error) {
	if err := checkLength(s); err != nil {
		return "", err
	}
	var salt [ourSalt]byte
	_, _ = rand.Read(salt[:]) // never fails
	sum := argon2Key(string(s), salt[:], ourPasses, ourMemory, ourLanes, ourHashLen)
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argon2idPrefix, argon2.Version, ourMemory, ourPasses, ourLanes,
		base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// argon2Key computes the hash and has its memory collected at once: the next one takes
// as much anew, and under a guessing attack the garbage of several would stand side
// by side. A collection costs a small part of what the hash did.
func argon2Key(secret string, salt []byte, passes, memory uint32, lanes uint8, length uint32) []byte {
	defer runtime.GC()
	return argon2.IDKey([]byte(secret), salt, passes, memory, lanes, length)
}

// parseArgon2id reads `v=19$m=19456,t=2,p=1$salt$hash`.
func parseArgon2id(rest string) (slow, error) {
	fields := strings.Split(rest, "$")
	if len(fields) != 4 || fields[0] != "v="+strconv.Itoa(argon2.Version) {
		return nil, ErrHash
	}
	memory, passes, lanes, err := argon2idCost(fields[1])
	if err != nil {
		return nil, err
	}
	a := &argon2id{memory: memory, passes: passes, lanes: lanes}
	if a.salt, err = decode64(fields[2], minSalt, maxSalt); err != nil {
		return nil, err
	}
	if a.sum, err = decode64(fields[3], minHash, maxHash); err != nil {
		return nil, err
	}
	return a, nil
}

func argon2idCost(s string) (memory, passes uint32, lanes uint8, err error) {
	params := strings.Split(s, ",")
	if len(params) != 3 {
		return 0, 0, 0, ErrHash
	}
	m, errM := number(params[0], "m=")
	t, errT := number(params[1], "t=")
	p, errP := number(params[2], "p=")
	if errM != nil || errT != nil || errP != nil {
		return 0, 0, 0, ErrHash
	}
	if m < minMemory || m > maxMemory || t < 1 || t > maxPasses || p < 1 || p > maxLanes {
		return 0, 0, 0, ErrCost
	}
	return uint32(m), uint32(t), uint8(p), nil
}

// number reads a decimal number without sign or leading zero, behind a name.
func number(s, name string) (int, error) {
	digits, ok := strings.CutPrefix(s, name)
	if !ok || digits == "" || digits[0] == '0' {
		return 0, ErrHash
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case err != nil && !isDigits(digits):
		return 0, ErrHash
	case err != nil || n > math.MaxInt32:
		return math.MaxInt32, nil // more than any bound
	}
	return int(n), nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (a *argon2id) verify(secret string) bool {
	sum := argon2Key(secret, a.salt, a.passes, a.memory, a.lanes, uint32(len(a.sum)))
	return subtle.ConstantTimeCompare(sum, a.sum) == 1
}

func (a *argon2id) heavy() bool { return a.memory > maxMemory/gateWidth }

func (a *argon2id) ours() bool {
	return a.memory == ourMemory && a.passes == ourPasses && a.lanes == ourLanes &&
		len(a.salt) == ourSalt && len(a.sum) == ourHashLen
}
