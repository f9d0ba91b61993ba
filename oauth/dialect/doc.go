// Package dialect describes the wire contract of a token endpoint as data, and
// holds the one codec that speaks it in both directions: a server decodes
// requests and encodes answers, a client encodes requests and decodes answers.
//
// A dialect is a YAML file of closed enumerations: no templates, no
// expressions. A field that is left out means what the RFCs say, so that the
// file `rfc.yaml` is nearly empty. What a file cannot say away: client
// authentication, refusal of duplicates, POST only, no-store, nothing from the
// query string, lifetimes of at most 24 hours (RFC 6749, OAuth 2.1).
package dialect
