// Package signin answers who administers: whose session, API key or token of the management
// issuer a request to the admin API carries, and what domain.Caller that makes it. What a
// caller may do is decided by registry.
//
// It owns how people prove who they are (a password, or an OpenID provider: OpenID Connect
// Core 1.0), their sessions, and the links that are good once: for the first administrator,
// for whoever was invited, and for whoever must be let in again. It changes people through
// People only.
//
// What a credential is, is proven by what it is: an API key by its prefix and its hash, a
// token by its issuer and that issuer's key, a session by its record. Nothing is taken for
// one kind because it is none of the others (D-54), and two at once are refused.
//
// # Passwords
//
// An unknown name, a disabled person, one without a password and a wrong password get one
// answer at one price: one argon2id. Before that stand, in this order, the limit on guesses
// for this name from this source, the limit on guesses of this source for names that never
// signed in from there, and a queue before a gate that lets two slow hashes through at once
// (D-100). A source that lately signed in under a name keeps its place in that queue, and
// what others do to the name is not held against it: nobody can lock an administrator out
// from elsewhere.
//
// # Sessions
//
// A session is 256 random bits in a cookie, and a record under their SHA-256. Each sign-in
// begins a new one and ends the one that the browser had (D-98). It ends by signing out,
// by time, and with the next request after the person's epoch, role or status changed.
// It is fresh for a quarter of an hour after the person proved who they are: as long a
// platform admin may change what belongs to no client (domain.Caller.Platform).
package signin
