package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/postern-dev/postern/oauth"
)

const minPepper = 32

// Peppers are the server's keys for hashing secrets. One is current and makes
// new hashes; the others still verify. Safe for concurrent use. However it is
// printed, it shows no key.
type Peppers struct {
	add sync.Mutex
	set atomic.Pointer[pepperSet]
}

// pepperSet does not change once it is stored.
type pepperSet struct {
	byID    map[string]*pepper
	current *pepper
}

type pepper struct {
	id   string
	macs sync.Pool // of *keyed
}

// keyed is an HMAC under a pepper, and room for what goes into it.
type keyed struct {
	mac   hash.Hash
	input []byte
	sum   [sha256.Size]byte
}

// NewPeppers returns an empty set, which verifies nothing.
func NewPeppers() *Peppers {
	p := &Peppers{}
	p.set.Store(&pepperSet{})
	return p
}

// Add puts a pepper into the set, in the place of one of the same id. New hashes
// are made with the one that was last added as current. It returns ErrPepper.
func (p *Peppers) Add(id string, key []byte, current bool) error {
	if !validID(id) || len(key) < minPepper {
		return ErrPepper
	}
	key = bytes.Clone(key)
	added := &pepper{id: id}
	added.macs.New = func() any {
		return &keyed{mac: hmac.New(sha256.New, key), input: make([]byte, 0, 512)}
	}
	p.add.Lock()
	defer p.add.Unlock()
	old := p.set.Load()
	next := &pepperSet{byID: maps.Clone(old.byID), current: old.current}
	if next.byID == nil {
		next.byID = map[string]*pepper{}
	}
	next.byID[id] = added
	if current || old.current != nil && old.current.id == id {
		next.current = added
	}
	p.set.Store(next)
	return nil
}

// Current is the id of the pepper that new hashes are made with.
func (p *Peppers) Current() (id string, ok bool) {
	current := p.set.Load().current
	if current == nil {
		return "", false
	}
	return current.id, true
}

// Hash is the keyed hash of a secret of 256 random bits, which is worth nothing
// under another issuer, client or secret id: `$postern$<pepper id>$<base64>`. It
// is empty, which Parse refuses, where no pepper is current or the secret is
// empty or too long.
func (p *Peppers) Hash(issuer, client, secretID string, s oauth.Secret) string {
	current := p.set.Load().current
	if current == nil || checkLength(s) != nil {
		return ""
	}
	k := current.compute(issuer, client, secretID, s)
	defer current.macs.Put(k)
	return keyedPrefix + current.id + "$" + base64.RawStdEncoding.EncodeToString(k.sum[:])
}

// verify reports whether sum is the hash under the pepper of this id.
func (p *Peppers) verify(id string, sum *[sha256.Size]byte, issuer, client, secretID string, s oauth.Secret) bool {
	if p == nil || checkLength(s) != nil {
		return false
	}
	pepper := p.set.Load().byID[id]
	if pepper == nil {
		return false
	}
	k := pepper.compute(issuer, client, secretID, s)
	equal := hmac.Equal(k.sum[:], sum[:]) // D-12: constant time
	pepper.macs.Put(k)
	return equal
}

// compute leaves the hash in the returned keyed, which goes back into the pool.
// Each part stands behind its length, so that no two lists are written alike.
func (p *pepper) compute(issuer, client, secretID string, s oauth.Secret) *keyed {
	k := p.macs.Get().(*keyed)
	b := appendPart(k.input[:0], issuer)
	b = appendPart(b, client)
	b = appendPart(b, secretID)
	b = appendPart(b, string(s))
	k.mac.Reset()
	k.mac.Write(b)
	k.mac.Sum(k.sum[:0])
	clear(b) // the secret does not stay in the pool
	k.input = b
	return k
}

func appendPart(b []byte, part string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
}

func validID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// Format shows nothing of the keys, whatever the verb.
func (p *Peppers) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[redacted]") }
