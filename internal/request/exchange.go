package request

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/domain"
)

// The headers of ours.
const (
	EventHeader       = "X-Request-Id"
	CorrelationHeader = "X-Correlation-Id"
)

// Exchange is a request being answered. It is the http.ResponseWriter of its
// answer, and sees the status. What the handler finds out, it fills in.
type Exchange struct {
	Event       domain.EventID
	ID          string     // Event as text
	Correlation string     // the caller's own id; empty where there is no well-formed one
	Source      netip.Addr // who sent it, behind trusted proxies too
	Start       time.Time

	Issuer string // by name, once found
	Client string // id, once known
	Actor  string // who calls, once known, where that is no client
	Reason string // why it was refused
	Err    error  // what the log should know beside the reason
	Status int    // of the answer

	http.ResponseWriter
}

// Begin reads what r carries and sets our headers on its answer.
func Begin(w http.ResponseWriter, r *http.Request, now time.Time, trusted *Proxies) *Exchange {
	event := domain.NewEventID(now)
	ex := &Exchange{
		Event: event, ID: event.String(), Correlation: correlation(r.Header),
		Source: source(r, trusted.networks()), Start: now, ResponseWriter: w,
	}
	h := w.Header()
	h[EventHeader] = []string{ex.ID}
	if ex.Correlation != "" {
		h[CorrelationHeader] = []string{ex.Correlation}
	}
	return ex
}

// WriteHeader notes the status of the final answer.
func (ex *Exchange) WriteHeader(status int) {
	if status >= http.StatusOK && ex.Status == 0 { // net/http ignores a second one
		ex.Status = status
	}
	ex.ResponseWriter.WriteHeader(status)
}

// Write notes the status 200 where none was written.
func (ex *Exchange) Write(b []byte) (int, error) {
	if ex.Status == 0 {
		ex.Status = http.StatusOK
	}
	return ex.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (ex *Exchange) Unwrap() http.ResponseWriter { return ex.ResponseWriter }

const maxLogged = 200 // bytes of a text that came in

// Log writes the one line of this exchange. The query string is in no log
// (D-04), nor is any header but the caller's id.
func (ex *Exchange) Log(log *slog.Logger, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	if ex.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !log.Enabled(context.Background(), level) {
		return
	}
	var space [13]slog.Attr
	attrs := append(space[:0],
		slog.String("request_id", ex.ID), slog.String("method", clip(r.Method)), slog.String("host", clip(r.Host)),
		slog.String("path", clip(r.URL.Path)), slog.Int("status", ex.Status), slog.Int64("us", took.Microseconds()))
	if ex.Source.IsValid() { // a Unix socket has no address
		attrs = append(attrs, slog.String("source", ex.Source.String()))
	}
	for _, a := range [...]struct{ name, value string }{
		{"issuer", ex.Issuer}, {"client", ex.Client}, {"actor", ex.Actor}, {"reason", ex.Reason}, {"correlation_id", ex.Correlation},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.name, a.value))
		}
	}
	if ex.Err != nil {
		attrs = append(attrs, slog.String("error", ex.Err.Error()))
	}
	// Straight to the handler: a record by the logger would look up who calls.
	record := slog.NewRecord(ex.Start, level, "request", 0)
	record.AddAttrs(attrs...)
	_ = log.Handler().Handle(context.Background(), record) // there is nowhere to complain that the log cannot be written
}

// clip cuts a text at maxLogged, between two characters.
func clip(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	end := maxLogged
	for end > maxLogged-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
