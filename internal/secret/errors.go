package secret

import "errors"

// What can be wrong. No error carries anything of a secret or a hash.
var (
	ErrHash   = errors.New("not a hash of a form that is understood")
	ErrCost   = errors.New("hash costs more, or protects less, than is allowed")
	ErrLength = errors.New("a secret has 1 to 256 bytes")
	ErrPepper = errors.New("a pepper has 32 bytes or more, its id 1 to 64 letters, digits, dots, hyphens and underscores")
	ErrBusy   = errors.New("too many slow hashes at once")
)
