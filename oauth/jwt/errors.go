package jwt

import "errors"

// Why a token is refused. No error carries anything of the token.
var (
	ErrMalformed  = errors.New("token is malformed")
	ErrTooLarge   = errors.New("token is larger than 8 KiB")
	ErrAlgorithm  = errors.New("token has an algorithm that is not the one of its key")
	ErrType       = errors.New("token is of another type")
	ErrUnknownKey = errors.New("token names a key that is not known here")
	ErrIssuer     = errors.New("token is of another issuer")
	ErrAudience   = errors.New("token is for another audience")
	ErrExpired    = errors.New("token has expired")
	ErrNotYet     = errors.New("token is not valid yet")
	ErrSignature  = errors.New("token has a wrong signature")
	// ErrExpect means that the caller left out what must be expected.
	ErrExpect = errors.New("no issuer, audience or time was given to hold the token against")
)

// Why a key is refused. No error carries anything of the key.
var (
	ErrKey          = errors.New("key is malformed or too weak")
	ErrKeyType      = errors.New("key is of a type, curve, use or algorithm that is not supported")
	ErrKeyMismatch  = errors.New("private and public half of the key do not belong together")
	ErrDuplicateKey = errors.New("two keys have the same kid")
	ErrTooManyKeys  = errors.New("key set is larger than 256 KiB or holds more than 64 keys")
)
