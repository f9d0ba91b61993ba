package resourceserver

import (
	"strings"
	"testing"
)

// RFC 6750 §2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
func TestB64token(t *testing.T) {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	for c := range 256 {
		want := strings.IndexByte(allowed, byte(c)) >= 0
		for _, s := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}) + "b"} {
			if got := b64token(s); got != want {
				t.Errorf("%q: %t", s, got)
			}
		}
	}
	for s, want := range map[string]bool{"": false, "=": false, "a=": true, "a==": true, "a=b": false, allowed + "==": true} {
		if got := b64token(s); got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
}
