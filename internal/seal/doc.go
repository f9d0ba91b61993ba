// Package seal encrypts what is kept: AES-256-GCM (NIST SP 800-38D) with a
// random nonce, bound to the context it belongs in, so that a sealed value that
// was moved elsewhere does not open.
//
// There are two floors. The Master key is in a file of its own and seals data
// keys; the data keys, opened, are a Ring and seal everything else. Replacing
// the master key so rewrites the data keys only. Where sealed values are kept,
// and what the context is made of, is the business of the caller.
package seal
