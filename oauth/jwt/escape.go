package jwt

import "github.com/postern-dev/postern/internal/strictjson"

// AppendString appends s to dst as a JSON string, quotes included (RFC 8259
// §7). Every string of a token goes through here. A byte that is not UTF-8
// becomes U+FFFD, so two strings that differ only in such bytes become one:
// whoever needs them apart refuses them before.
func AppendString(dst []byte, s string) []byte { return strictjson.AppendString(dst, s) }
