// Package request holds what every HTTP exchange carries, whatever it is about:
// the event id of our making, the caller's correlation id, the address it came
// from, and the one line that the log gets of it.
package request
