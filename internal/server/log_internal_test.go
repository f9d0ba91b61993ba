package server

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/config"
)

// What net/http says of bytes that an upstream sends unasked is told without them.
func TestStrayLinesQuoteNothing(t *testing.T) {
	var out bytes.Buffer
	n := &Node{}
	n.Log, n.lines = newLog(config.Log{}, new(slog.LevelVar), &out)
	std := log.New(n.Stray(), "", 0)
	std.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", "HTTP/1.1 200 OK\r\n\r\n{\"name\":\"Doe\"}", nil)
	n.lines.Flush()
	if line := out.String(); !strings.Contains(line, "Unsolicited response") || strings.Contains(line, "Doe") || strings.Contains(line, "200 OK") || strings.Count(line, "\n") != 1 {
		t.Errorf("logged %s", line)
	}
}
