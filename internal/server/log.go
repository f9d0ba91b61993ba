package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/config"
)

const (
	logFlush  = 100 * time.Millisecond
	logBuffer = 64 << 10 // bytes; a fuller buffer is written at once
)

// logWriter gathers log lines: one system call for many (DESIGN §12). It is
// flushed every 100 ms, at errors and at exit.
type logWriter struct {
	mu  sync.Mutex
	buf bytes.Buffer
	out io.Writer
}

func (l *logWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.buf.Write(p)
	if l.buf.Len() >= logBuffer {
		l.flush()
	}
	return n, err
}

// flush needs the lock.
func (l *logWriter) flush() {
	_, _ = l.out.Write(l.buf.Bytes()) // there is nowhere to complain that the log cannot be written
	l.buf.Reset()
}

// Flush writes what is gathered.
func (l *logWriter) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > 0 {
		l.flush()
	}
}

// run flushes until the context ends.
func (l *logWriter) run(ctx context.Context) {
	tick := time.NewTicker(logFlush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.Flush()
			return
		case <-tick.C:
			l.Flush()
		}
	}
}

// flushing flushes after each error.
type flushing struct {
	slog.Handler
	w *logWriter
}

func (f flushing) Handle(ctx context.Context, r slog.Record) error {
	err := f.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelError {
		f.w.Flush()
	}
	return err
}

func (f flushing) WithAttrs(a []slog.Attr) slog.Handler {
	return flushing{f.Handler.WithAttrs(a), f.w}
}
func (f flushing) WithGroup(n string) slog.Handler { return flushing{f.Handler.WithGroup(n), f.w} }

// newLog returns a logger and what must be flushed before exit.
func newLog(c config.Log, level *slog.LevelVar, out io.Writer) (*slog.Logger, *logWriter) {
	w := &logWriter{out: out}
	level.Set(c.Level.Slog())
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(w, opts)
	if c.Format == config.Text {
		h = slog.NewTextHandler(w, opts)
	}
	return slog.New(flushing{h, w}), w
}

// Stray takes the lines that libraries write to the standard logger, for log.SetOutput.
// net/http quotes there what an upstream sends unasked: what is quoted is left out, as it may
// be anybody's data.
func (n *Node) Stray() io.Writer { return stray{n.Log} }

type stray struct{ log *slog.Logger }

func (s stray) Write(p []byte) (int, error) {
	line, _, _ := bytes.Cut(p, []byte{'"'})
	s.log.Warn("a library complains", "of", string(bytes.TrimSpace(line)))
	return len(p), nil
}
