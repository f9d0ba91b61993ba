// Package secret makes client secrets, hashes them, and tells whether one that
// was presented is the right one.
//
// Secrets that we made have 256 random bits, so a keyed hash is enough: HMAC
// with a pepper that is not in the database (RFC 2104). Secrets that came from
// elsewhere may be words; they stay argon2id (RFC 9106), or in the foreign hash
// they came with: bcrypt, or PBKDF2 (RFC 8018) as Ory Hydra and passlib write
// it. Those are slow on purpose and go through a Gate. Who is asked, how often,
// and where hashes are kept, is the business of the caller.
package secret
