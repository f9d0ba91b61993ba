package admin_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/admin"
)

// An apply takes as long as it takes, and the secrets of what it made reach whoever
// made it: the limit on answers to the network does not end it in its midst.
func TestApplyOutlivesTheWriteTimeout(t *testing.T) {
	reg, socket := start(t)
	socket += "2"
	serveWith(t, socket, reg, &http.Server{ReadHeaderTimeout: time.Second, WriteTimeout: time.Millisecond}, slog.New(slog.DiscardHandler))
	var b strings.Builder
	const n = 100
	for i := range n {
		fmt.Fprintf(&b, "---\nkind: Client\nissuer: main\nid: 22222222-2222-4222-8222-%012d\nname: c\nplatform_wide: true\naudiences: [a]\n", i)
	}
	done, err := admin.Dial(socket).Apply(t.Context(), admin.Files{Files: []admin.File{{Name: "a.yaml", Content: b.String()}}})
	if err != nil || len(done.Secrets) != n {
		t.Fatalf("%d of %d secrets, %v", len(done.Secrets), n, err)
	}
}
