package resourceserver_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// tokenOf makes a good token of exactly this many bytes.
func tokenOf(t testing.TB, i *oauthtest.Issuer, size int) string {
	t.Helper()
	for pad := range 2 * size {
		if token := i.With(oauthtest.Claims{"scope": "studies:read", "pad": strings.Repeat("x", pad)}); len(token) == size {
			return token
		}
	}
	t.Fatalf("no token has %d bytes", size)
	return ""
}

func hit(t testing.TB) (func(), string) {
	t.Helper()
	i := oauthtest.New(audience)
	t.Cleanup(i.Close)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(nil)}})
	token, ctx := tokenOf(t, i, 525), t.Context()
	verify := func() {
		if _, err := v.Verify(ctx, "192.0.2.1", token); err != nil {
			t.Fatal(err)
		}
	}
	verify()
	return verify, token
}

// BenchmarkCacheHit compares a token seen before with SHA-256 of the same bytes,
// turn by turn. The target is 3 (issue 3, "Numbers").
func BenchmarkCacheHit(b *testing.B) {
	verify, token := hit(b)
	const batch = 1000
	sum, sink := []byte(token), byte(0)
	var hits, hashes time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		for range batch {
			verify()
		}
		hashed := time.Now()
		for range batch {
			d := sha256.Sum256(sum)
			sink ^= d[0]
		}
		hits += hashed.Sub(began)
		hashes += time.Since(hashed)
	}
	_ = sink
	n := float64(b.N) * batch
	b.ReportMetric(float64(hits.Nanoseconds())/n, "ns/hit")
	b.ReportMetric(float64(hashes.Nanoseconds())/n, "ns/sha256")
	b.ReportMetric(float64(hits)/float64(hashes), "hit/sha256")
}

// BenchmarkCacheHitParallel has all processors ask for one token.
func BenchmarkCacheHitParallel(b *testing.B) {
	verify, _ := hit(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			verify()
		}
	})
}

func TestCacheHitAllocatesNothing(t *testing.T) {
	verify, _ := hit(t)
	if n := testing.AllocsPerRun(1000, verify); n != 0 {
		t.Errorf("%v allocations for a token seen before", n)
	}
}
