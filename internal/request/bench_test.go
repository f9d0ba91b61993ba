package request_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/request"
)

// BenchmarkExchange is what every request pays for its ids and its log line.
func BenchmarkExchange(b *testing.B) {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	r := httptest.NewRequest("POST", "http://localhost:8080/oauth2/token", nil)
	r.RemoteAddr = "127.0.0.1:4711"
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		ex := request.Begin(httptest.NewRecorder(), r, now, nil)
		ex.Issuer, ex.Client, ex.Status = "rfc", "7d6a2b1e-0f43-4f7c-8f1a-2f8b1c0d9e01", 200
		ex.Log(log, r, time.Millisecond)
	}
}
