package seal

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// Master is the key that seals data keys. The zero value opens and seals
// nothing. However it is printed or logged, it shows no key.
type Master struct {
	opened *master
}

// master stands behind a pointer, so that a Master inside something that is
// printed shows an address.
type master struct {
	id   string
	aead cipher.AEAD
}

func newMaster(key []byte) (Master, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return Master{}, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("postern/master/id"))
	return Master{&master{id: hex.EncodeToString(mac.Sum(nil)[:8]), aead: aead}}, nil
}

// ID is a name of the key that is derived from it, and tells nothing about it.
func (m Master) ID() string {
	if m.opened == nil {
		return ""
	}
	return m.opened.id
}

// SealKey seals a data key under the master key, bound to its id. It returns
// ErrKey for a key that a Ring would not take.
func (m Master) SealKey(id string, key []byte) ([]byte, error) {
	if m.opened == nil {
		return nil, ErrWrongMasterKey
	}
	if len(key) != keyBytes || !validID(id) {
		return nil, ErrKey
	}
	return sealWith(m.opened.aead, m.opened.id, dataKey(id), key), nil
}

// OpenKey opens what SealKey made. It returns ErrWrongMasterKey for what another
// master key sealed, ErrOpen where the value is not as it was or of another id.
func (m Master) OpenKey(id string, sealed []byte) ([]byte, error) {
	by, head, body, err := split(sealed)
	if err != nil {
		return nil, err
	}
	if m.opened == nil || by != m.opened.id {
		return nil, ErrWrongMasterKey
	}
	return openWith(m.opened.aead, head, body, dataKey(id))
}

// dataKey is the context of a data key.
func dataKey(id string) []string { return []string{"data key", id} }

// Format shows the id, whatever the verb.
func (m Master) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "{"+m.ID()+" [redacted]}") }

// LogValue shows the id.
func (m Master) LogValue() slog.Value { return slog.StringValue("{" + m.ID() + " [redacted]}") }
