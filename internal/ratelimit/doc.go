// Package ratelimit counts, in memory and within fixed bounds, what clients and
// sources do, and says when it is too much.
//
// It owns the calls that clients may make in a minute (Windows), the guessing limits of
// token endpoints (Guesses) and the limit on failures that a source may cause where
// secrets cannot be guessed (Failures). What a limit is, what a guess is, and what is
// answered beyond a limit, is the business of guard and clientauth.
//
// No step of a clock opens a window again (D-39). Those of guesses and failures are
// measured on one that never runs backwards; those of calls are calendar minutes of the
// time that the caller gives.
package ratelimit
