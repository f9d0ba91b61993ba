package jwt_test

import (
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
)

func BenchmarkSign(b *testing.B) {
	payload := []byte(claims(map[string]string{"scope": `"studies:read studies:write"`}))
	for _, alg := range jwt.Algorithms() {
		b.Run(string(alg), func(b *testing.B) {
			s, err := jwt.NewSigner(generate(b, alg), "at+jwt")
			if err != nil {
				b.Fatal(err)
			}
			buffer := make([]byte, 0, 2048)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(buffer, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range jwt.Algorithms() {
		b.Run(string(alg), func(b *testing.B) {
			k := generate(b, alg)
			token, keys, want := sign(b, k, "at+jwt", claims(nil)), keySet(b, k), expect()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jwt.Verify(token, keys, want); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendString(b *testing.B) {
	buffer := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buffer = jwt.AppendString(buffer[:0], "https://as.example.com/tenant/one")
	}
}
