package clientauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/postern-dev/postern/oauth"
)

const (
	memoryShards = 16
	// rememberedPerShard bounds a generation; there are two: 131,072 secrets in
	// all, about 6 MB.
	rememberedPerShard = 4096
)

// digest stands for a secret of a client, in this process only.
type digest [sha256.Size]byte

// memory remembers slow secrets that were right as HMACs under a key that exists
// nowhere but here. Only what was right is remembered, so nobody can fill it by guessing. What
// was not used while a whole generation came in is forgotten.
type memory struct {
	macs   sync.Pool
	shards [memoryShards]memoryShard
}

type memoryShard struct {
	mu         sync.RWMutex
	young, old map[digest]struct{}
}

type mac struct {
	hash hash.Hash
	text []byte
}

func (m *memory) init() {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	m.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, key)} }
	for i := range m.shards {
		m.shards[i].young = make(map[digest]struct{})
	}
}

// digest is over the parts, each with its length.
func (m *memory) digest(use byte, plain oauth.Secret, parts ...string) (d digest) {
	h := m.macs.Get().(*mac)
	text := append(h.text[:0], use)
	for _, p := range parts {
		text = binary.AppendUvarint(text, uint64(len(p)))
		text = append(text, p...)
	}
	text = append(text, plain...)
	h.hash.Reset()
	h.hash.Write(text)
	h.hash.Sum(d[:0])
	clear(text)
	h.text = text
	m.macs.Put(h)
	return d
}

// of is the digest of a secret of a client. With the hash in it, it is worth
// nothing once the secret is replaced, also in a client made again under the same id.
func (m *memory) of(issuer, client, secretID, hash string, plain oauth.Secret) digest {
	return m.digest('s', plain, issuer, client, secretID, hash)
}

func (m *memory) has(d digest) bool {
	sh := &m.shards[d[0]%memoryShards]
	sh.mu.RLock()
	_, ok := sh.young[d]
	_, old := sh.old[d]
	sh.mu.RUnlock()
	if old && !ok {
		m.add(d)
	}
	return ok || old
}

func (m *memory) add(d digest) {
	sh := &m.shards[d[0]%memoryShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(sh.young) >= rememberedPerShard {
		sh.old, sh.young = sh.young, make(map[digest]struct{})
	}
	sh.young[d] = struct{}{}
}
