package secret

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

const keyedPrefix = "$postern$"

// Verifier is a hash, parsed. The zero value verifies nothing. However it is
// printed or logged, it shows no hash.
type Verifier struct {
	hash *parsed
}

// parsed stands behind a pointer, and so does what is in it: a Verifier in an
// unexported field is printed without its methods, and where the verb is one
// for texts the first pointer is followed.
type parsed struct {
	pepper string             // id, of a keyed hash
	sum    *[sha256.Size]byte // of a keyed hash
	slow   slow               // of an imported one; a pointer
}

// slow is a hash for secrets that may be words. verify is given a secret of 1
// to MaxLength bytes.
type slow interface {
	verify(secret string) bool
	// ours reports whether HashImported would make it so.
	ours() bool
	// heavy reports whether verify takes so much memory that it goes alone.
	heavy() bool
}

// Parse reads a hash: a keyed one of Peppers.Hash, argon2id in PHC form, bcrypt
// ($2a$, $2b$, $2y$), or PBKDF2-SHA256 as Hydra and as passlib write it. What
// costs more than we are willing to spend on a guess, or protects less than is
// worth keeping, is ErrCost; the bounds stand with each. Anything else is
// ErrHash.
func Parse(hash string) (Verifier, error) {
	if len(hash) > 512 {
		return Verifier{}, ErrHash
	}
	var p parsed
	var err error
	switch {
	case strings.HasPrefix(hash, keyedPrefix):
		err = p.readKeyed(hash[len(keyedPrefix):])
	case strings.HasPrefix(hash, argon2idPrefix):
		p.slow, err = parseArgon2id(hash[len(argon2idPrefix):])
	case strings.HasPrefix(hash, pbkdf2Prefix):
		p.slow, err = parsePBKDF2(hash[len(pbkdf2Prefix):])
	case strings.HasPrefix(hash, "$2"):
		p.slow, err = parseBcrypt(hash)
	default:
		err = ErrHash
	}
	if err != nil {
		return Verifier{}, err
	}
	return Verifier{&p}, nil
}

func (p *parsed) readKeyed(rest string) error {
	id, encoded, ok := strings.Cut(rest, "$")
	if !ok || !validID(id) {
		return ErrHash
	}
	sum, err := decode64(encoded, sha256.Size, sha256.Size)
	if err != nil {
		return ErrHash
	}
	p.pepper = strings.Clone(id)
	p.sum = (*[sha256.Size]byte)(sum)
	return nil
}

// Imported reports whether the secret may be a word: its verification is slow,
// and belongs behind a Gate.
func (v Verifier) Imported() bool { return v.hash != nil && v.hash.slow != nil }

// Heavy reports whether verification belongs through Gate.DoAlone.
func (v Verifier) Heavy() bool { return v.Imported() && v.hash.slow.heavy() }

// NeedsRehash reports whether the hash should be made anew at its next use:
// under the current pepper, or for an imported one by HashImported.
func (v Verifier) NeedsRehash(p *Peppers) bool {
	if v.hash == nil {
		return false
	}
	if v.hash.slow != nil {
		return !v.hash.slow.ours()
	}
	current, ok := p.Current()
	return ok && current != v.hash.pepper
}

// Verify reports whether s is the secret. Issuer, client and secret id are part
// of a keyed hash, and no part of an imported one.
func (v Verifier) Verify(p *Peppers, issuer, client, secretID string, s oauth.Secret) bool {
	switch {
	case v.hash == nil || checkLength(s) != nil:
		return false
	case v.hash.slow != nil:
		return v.hash.slow.verify(string(s))
	}
	return p.verify(v.hash.pepper, v.hash.sum, issuer, client, secretID, s)
}

// Format shows nothing of the hash, whatever the verb.
func (v Verifier) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[redacted]") }

// LogValue shows nothing of the hash.
func (v Verifier) LogValue() slog.Value { return slog.StringValue("[redacted]") }
