package secret

import (
	"encoding/base64"
	"strings"
)

// decode64 decodes unpadded base64 of minimum to maximum bytes, without stray
// bits and without the line ends that encoding/base64 passes over.
func decode64(s string, minimum, maximum int) ([]byte, error) {
	if len(s) > base64.RawStdEncoding.EncodedLen(maximum) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrHash
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, ErrHash
	}
	if len(b) < minimum || len(b) > maximum {
		return nil, ErrCost
	}
	return b, nil
}
