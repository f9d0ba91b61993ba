package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// A sealed value is: version, length of the key id, key id, nonce (12 bytes),
// ciphertext, tag (16 bytes). Version and key id are authenticated too.
const (
	version   = 1
	keyBytes  = 32
	overhead  = 12 + 16 // nonce and tag
	maxIDSize = 64
)

// newAEAD makes the cipher. With a random nonce of 96 bits a key is good for
// 2³² values (SP 800-38D §8.3), which is far from what one installation seals.
func newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != keyBytes {
		return nil, ErrKey
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrKey
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func validID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxIDSize
}

func sealWith(aead cipher.AEAD, id string, context []string, plaintext []byte) []byte {
	out := make([]byte, 0, 2+len(id)+len(plaintext)+overhead)
	out = append(out, version, byte(len(id)))
	out = append(out, id...)
	return aead.Seal(out, nil, plaintext, additional(out, context)) // #nosec G407 -- no nonce is passed: the AEAD makes a random one
}

// split takes a sealed value apart, up to the nonce.
func split(sealed []byte) (id string, head, body []byte, err error) {
	if len(sealed) < 2 || sealed[0] != version {
		return "", nil, nil, ErrMalformed
	}
	end := 2 + int(sealed[1])
	if len(sealed) < end+overhead || !validID(string(sealed[2:end])) {
		return "", nil, nil, ErrMalformed
	}
	return string(sealed[2:end]), sealed[:end], sealed[end:], nil
}

func openWith(aead cipher.AEAD, head, body []byte, context []string) ([]byte, error) {
	plaintext, err := aead.Open(nil, nil, body, additional(head, context))
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// additional is what is authenticated beside the plaintext: a label, and the
// head and the parts of the context, each with its length, so that no two
// contexts are written alike.
func additional(head []byte, context []string) []byte {
	b := append(make([]byte, 0, 128), "postern/seal/1"...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	for _, part := range context {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}
