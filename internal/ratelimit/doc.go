// Package ratelimit counts, in memory and within fixed bounds, what clients and
// sources do, and says when it is too much.
//
// It owns the guessing limits of token endpoints (Guesses) and the limit on
// failures that a source may cause where secrets cannot be guessed (Failures).
// What a guess is, and what is answered beyond a limit, is the business of
// clientauth.
//
// All windows are measured on a clock that never runs backwards: a step of the
// wall clock neither opens a window again nor closes it early (D-39).
package ratelimit
