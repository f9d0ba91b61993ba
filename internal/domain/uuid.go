package domain

import "crypto/rand"

// NewUUID is a random UUID (version 4, RFC 9562 §5.4).
func NewUUID() string {
	var id EventID
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
