package jwt

import "encoding/base64"

// decode reads unpadded base64url in its one canonical spelling (RFC 7515 §2).
// encoding/base64 passes over line ends, and without Strict over stray bits.
func decode(s string) ([]byte, error) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			return nil, ErrMalformed
		}
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, ErrMalformed
	}
	return b, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
