// Package oauth holds the words of the RFCs that everything else speaks: token
// request and response, scope, protocol error and authorization server
// metadata (RFC 6749, RFC 8414, RFC 8707).
//
// It decides nothing and writes no bytes: how a contract puts these words on the
// wire is the business of oauth/dialect.
package oauth
