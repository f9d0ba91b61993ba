package jwt

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// MaxSize is the most bytes that a token may have (D-52).
const MaxSize = 8 << 10

// Signer signs tokens of one type with one key. It is safe for concurrent use.
type Signer struct {
	key    *PrivateKey
	prefix []byte // base64url of the header, and a dot
	size   int    // bytes of a signature
	macs   sync.Pool
}

// NewSigner prepares the header: `alg`, `typ` unless it is empty, `kid`.
func NewSigner(key *PrivateKey, typ string) (*Signer, error) {
	if key == nil || !key.usable() || key.ID == "" || len(key.ID) > maxKIDBytes {
		return nil, ErrKey
	}
	header := AppendString([]byte(`{"alg":`), string(key.Algorithm))
	if typ != "" {
		header = AppendString(append(header, `,"typ":`...), typ)
	}
	header = AppendString(append(header, `,"kid":`...), key.ID)
	header = append(header, '}')
	s := &Signer{
		key:    key,
		prefix: append(base64.RawURLEncoding.AppendEncode(nil, header), '.'),
		size:   key.signatureSize(),
	}
	s.macs.New = func() any { return hmac.New(sha256.New, key.hmac) }
	return s, nil
}

// Key is the key that the signer signs with.
func (s *Signer) Key() *PrivateKey { return s.key }

// Sign appends to dst the compact form of the token with this payload (RFC 7515
// §7.1). The payload is taken as it is: one JSON object, its strings written by
// AppendString. It returns ErrTooLarge for a token that Verify would refuse.
func (s *Signer) Sign(dst, payload []byte) ([]byte, error) {
	start := len(dst)
	encoded := base64.RawURLEncoding.EncodedLen(s.size)
	size := len(s.prefix) + base64.RawURLEncoding.EncodedLen(len(payload)) + 1 + encoded
	if size > MaxSize {
		return nil, ErrTooLarge
	}
	// The raw signature lies behind the end of the token while it is encoded.
	dst = slices.Grow(dst, size+s.size)
	dst = append(dst, s.prefix...)
	dst = base64.RawURLEncoding.AppendEncode(dst, payload)
	dot, end := len(dst), start+size
	signature, err := s.signature(dst[end:end:end+s.size], dst[start:dot])
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", s.key.Algorithm, err)
	}
	if len(signature) != s.size {
		return nil, fmt.Errorf("sign with %s: %w", s.key.Algorithm, errForm)
	}
	dst = append(dst, '.')
	return base64.RawURLEncoding.AppendEncode(dst, signature), nil
}

// signature appends the signature of the input (RFC 7518 §3, RFC 8037 §3.1).
func (s *Signer) signature(dst, input []byte) ([]byte, error) {
	switch s.key.Algorithm {
	case HS256:
		mac := s.macs.Get().(hash.Hash)
		mac.Reset()
		mac.Write(input)
		dst = mac.Sum(dst)
		s.macs.Put(mac)
		return dst, nil
	case EdDSA:
		return append(dst, ed25519.Sign(s.key.ed25519, input)...), nil
	}
	digest := sha256.Sum256(input)
	switch s.key.Algorithm {
	case ES256:
		// Without a random source the signature is that of RFC 6979, as RFC 8725
		// §3.2 would have it: no bad randomness can give the key away. It is
		// cheaper, too.
		der, err := s.key.ecdsa.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			return nil, err
		}
		return appendRaw(dst, der)
	case RS256:
		return rsa.SignPKCS1v15(rand.Reader, s.key.rsa, crypto.SHA256, digest[:])
	case PS256: // RFC 7518 §3.5: the salt is as long as the hash
		return rsa.SignPSS(rand.Reader, s.key.rsa, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	return nil, ErrAlgorithm
}

var errForm = errors.New("signature of an unexpected form")

// appendRaw turns a DER signature of our own making into r and s, 32 bytes each
// (RFC 7518 §3.4).
func appendRaw(dst, der []byte) ([]byte, error) {
	// SEQUENCE { INTEGER r, INTEGER s }; all lengths fit one byte on P-256.
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, errForm
	}
	rest := der[2:]
	for range 2 {
		if len(rest) < 2 || rest[0] != 0x02 || int(rest[1]) > len(rest)-2 {
			return nil, errForm
		}
		n := rest[2 : 2+int(rest[1])]
		rest = rest[2+len(n):]
		if len(n) == p256Bytes+1 && n[0] == 0 {
			n = n[1:]
		}
		if len(n) == 0 || len(n) > p256Bytes {
			return nil, errForm
		}
		var zero [p256Bytes]byte
		dst = append(append(dst, zero[len(n):]...), n...)
	}
	if len(rest) != 0 {
		return nil, errForm
	}
	return dst, nil
}
