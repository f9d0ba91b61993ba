// Package admin is the admin API (OpenAPI 3.1, problems as of RFC 9457) and its
// client. It decides nothing: what may be changed, and how, is the business of
// registry and declare.
//
// It is reached over a Unix socket in the data directory, where the kernel says who
// is on the other side.
package admin
