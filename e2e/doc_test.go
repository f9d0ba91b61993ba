// Package e2e talks to a whole Postern from outside: the real server, its real
// store, bytes over TCP.
//
// The truth about a dialect is a conversation in testdata/conversations, written
// by hand: what is sent, and what comes back to the byte (parse_test.go says how to
// read one, act_test.go what can happen in between). The mutation suite
// (mutate_test.go, `make mutate`) plays them against dialect files with one field
// changed, and each must fail. Beside them stand the vendors' printed commands
// (recipes_test.go), clients and verifiers that nobody here wrote
// (interop_test.go), and what concerns every dialect alike.
package e2e
