package graphql

import "fmt"

// Reason is why a document is refused, whoever sends it. Reasons of a client's own are
// policy's.
type Reason string

// The reasons.
const (
	Malformed     Reason = "malformed"      // body, variables or document are not what they should be
	TooComplex    Reason = "too_complex"    // past one of the limits
	Invalid       Reason = "invalid"        // not valid in this schema (D-91)
	NoOperation   Reason = "no_operation"   // no such operation, or several and no name (D-78)
	NotSupported  Reason = "not_supported"  // subscriptions, persisted queries, batches, federation
	Introspection Reason = "introspection"  // turned off
	Unanswered    Reason = "unanswered"     // a field that lacks an answer on an axis
	BadVariables  Reason = "bad_variables"  // they do not fit their types
	Undeclared    Reason = "undeclared_ids" // a value that may hide ids
	BadAnswer     Reason = "bad_answer"     // the upstream's answer is not what was asked for
	Outside       Reason = "outside"        // an object in the answer lies outside of the client's scope
)

// Refusal is the error of everything here that outsiders can cause.
type Refusal struct {
	Reason       Reason
	Path         string // fields of the document down to the place, joined by dots; "" for the whole
	Coordinate   string // of the schema: for logs and explain, not for the client (D-93)
	Line, Column int    // in the document; 0 if unknown
	Detail       string // for logs and explain, not for the client
}

func (r *Refusal) Error() string {
	s := "graphql: " + string(r.Reason)
	if r.Path != "" {
		s += " at " + r.Path
	}
	if r.Line > 0 {
		s += fmt.Sprintf(" (%d:%d)", r.Line, r.Column)
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}
