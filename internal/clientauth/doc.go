// Package clientauth answers who the client of a request is, from its id and
// secret (RFC 6749 §2.3.1), and defends that question against guessing.
//
// Why an attempt failed is told to nobody: an unknown, deleted, disabled or
// expired client, one of another issuer or of another tenant's host, an expired
// secret and a wrong one give equal errors in equal time (COM-07, D-11, D-21).
//
// # Issuers with generated secrets only
//
// A secret of our making has 256 random bits and cannot be guessed. Every
// attempt is evaluated, so the right secret is always served; a failing one
// costs two keyed hashes, whatever its cause. A source that fails too often is
// told so (package ratelimit, Failures).
//
// # Issuers with imported secrets
//
// These may be weak. An attempt goes, in this order:
//
//  1. Generated secrets are tried, and, for a source that succeeded for this
//     client within 30 days, secrets remembered from earlier successes. Both are cheap, and
//     what matches is served whatever anybody else does (D-13). A source that never succeeded
//     is not held against the memory here: that would be guessing without a limit.
//  2. Equal attempts at the same time are made one, counted once.
//  3. The guessing limits admit it or refuse it (package ratelimit, Guesses).
//  4. It takes one of the seats, of which a source has a part only and some are
//     kept for sources that succeeded before. None free: too_many_attempts.
//  5. It waits for its turn at the gate, behind which at most two slow hashes
//     are made at once, and is evaluated there. Attempts with nothing to
//     evaluate wait for their turn too, and then cost nothing.
//  6. A right secret is answered at once. A wrong attempt is answered
//     FailureTime after it came, not counting its time in the queue.
//
// So the time of a failure is that of the queue, which is the same for all, and
// a constant that covers look-up and hash: the fixed deadline that RULES offers,
// not the dummy argon2id. Under a guessing attack the latter burns both cores
// for ids that do not exist, and cannot hide a foreign hash that is slower than
// argon2id. The deadline hides any: it doubles where a hash turns out to be slower.
package clientauth
