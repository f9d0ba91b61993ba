package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// However many clients call, the tokens that are kept take no more than their bound.
func TestIdentitiesAreBounded(t *testing.T) {
	var i identities
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	most := 0
	for n := range 20_000 {
		claims, text := fmt.Appendf(nil, "%d%s", n%15_000, strings.Repeat("c", 300)), strings.Repeat("t", 200+n%700)
		i.keep(claims, text, now)
		if got := i.find(claims, now); got != text {
			t.Fatalf("%d is not kept", n)
		}
		if n%1000 == 0 {
			held := 0
			for key, token := range i.known {
				held += len(key) + len(token.text)
			}
			if held != i.bytes {
				t.Fatalf("%d bytes are held, %d are counted", held, i.bytes)
			}
		}
		most = max(most, i.bytes)
	}
	if most > identityBytes || most < identityBytes/2 {
		t.Errorf("%d bytes at most", most)
	}
}
