package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// told is an error as a command says it: what was wrong, and what to do.
func told(t *testing.T, err error) string {
	t.Helper()
	var h interface{ Hint() string }
	if !errors.As(err, &h) {
		t.Fatalf("nobody says what to do about: %v", err)
	}
	return err.Error() + " | " + h.Hint()
}

// What answers and is no admin API is told as such, whatever it says; D-113: nobody is sent elsewhere.
func TestForeign(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"another surface", http.NotFound, ": HTTP 404 | "},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello")) }, ": HTTP 200 | "},
		{"a proxy whose server is away", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, ": HTTP 502 | "},
		{"one that sends elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/", http.StatusFound)
		}, `: HTTP 302 to "https://other.example/" | `},
		{"JSON of something else", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`[1]`))
		}, ": HTTP 200 | "},
	} {
		server := httptest.NewServer(c.answer)
		conn, err := admin.DialURL(server.URL, "pak_x")
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.WhoAmI(t.Context())
		if want := "what answers at " + server.URL + " is not the admin API of a postern" + c.want + "see that"; !strings.HasPrefix(told(t, err), want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := conn.ExportAudit(t.Context(), &strings.Builder{}, admin.EventQuery{}, "ndjson"); c.name == "a web page" && err == nil {
			t.Errorf("a web page was exported")
		}
		server.Close()
	}
}

// Who cannot be reached is told by what is in the way.
func TestUnreachable(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	for _, c := range []struct{ server, words, hint string }{
		{gone.URL, "no running postern at " + gone.URL, "see that the server runs"},
		{strings.Replace(plain.URL, "http:", "https:", 1), "http: server gave HTTP response to HTTPS client", "what listens there speaks no TLS"},
		{secure.URL, "certificate", "its certificate is of no authority that this machine trusts"},
		{broken.URL, "no postern can be reached at " + broken.URL + ": EOF", "see that the server runs"},
		{slow.URL, slow.URL + " did not answer in time", "it may have done what was asked all the same"},
	} {
		conn, err := admin.DialURL(c.server, "pak_x")
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if c.server == slow.URL {
			expired, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
			defer cancel()
			ctx = expired
		}
		_, err = conn.WhoAmI(ctx)
		if text := told(t, err); !strings.Contains(text, c.words) || !strings.Contains(text, " | "+c.hint) || strings.Contains(text, "/api/admin/whoami") {
			t.Errorf("%s: %s", c.server, text)
		}
	}
}

// A credential that is refused is told as one that was sent, and a key that is never fresh as such.
func TestHintsOfCredentials(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.PlatformAdmin, all())
	_, err := conn.ListPeople(t.Context())
	if text := told(t, err); !strings.Contains(text, " | an API key never counts as a fresh sign-in") {
		t.Error(text)
	}
	_, err = conn.EnableClient(t.Context(), "main", "nobody")
	if text := told(t, err); text != "client \"main/nobody\": not found | `postern client list` names those that you may see, each by its id first" {
		t.Error(text)
	}
	auditor, key := w.conn(t, domain.Auditor, all())
	_, err = auditor.DisableClient(t.Context(), "main", clientOne)
	if text := told(t, err); !strings.Contains(text, "needs the role") || !strings.HasSuffix(text, " | `postern admin whoami` tells your role and where it holds") {
		t.Error(text)
	}
	list, err := w.reg.ListAPIKeys(t.Context(), domain.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if err := w.reg.DeleteAPIKey(t.Context(), domain.System, k.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	ended, err := admin.DialURL(w.server.URL, key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ended.WhoAmI(t.Context())
	if text := told(t, err); !strings.HasPrefix(text, "the credential is not good here | the key or the token in the file of --token-file was taken away") {
		t.Error(text)
	}
}
