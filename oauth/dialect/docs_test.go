package dialect_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"net/http"
	"net/http/httptest"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

func update() bool { return flag.Lookup("update").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write docs/dialects")
	flag.Parse()
	os.Exit(m.Run())
}

// A page that is not made from its file says something that is no longer true.
func TestMarkdown(t *testing.T) {
	set := dialect.Builtin()
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		file := filepath.Join("..", "..", "docs", "dialects", name+".md")
		if update() {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(d.Markdown()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		page, err := os.ReadFile(file)
		if diff := cmp.Diff(string(page), d.Markdown()); diff != "" || err != nil {
			t.Errorf("%s: %v %s\nrun: go test ./oauth/dialect -run TestMarkdown -update", file, err, diff)
		}
	}
}

// ARB-19: the printed command, run by a real shell and curl, is understood.
func TestTokenCommand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no curl here")
	}
	const secret = `it's "50%" & $HOME + \ é`
	for _, d := range all(t) {
		scope, audience := "a:b https://c", "https://api.example/x"
		want := oauth.TokenRequest{GrantType: oauth.ClientCredentials, Scope: oauth.Scope{"a:b", "https://c"}, Audience: audience}
		if d.Wire.Audience.Presence == dialect.None {
			want.Audience = ""
		}
		var got oauth.TokenRequest
		var failed error
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, failed = d.DecodeRequest(r)
			if r.URL.Path != d.Wire.Path {
				t.Errorf("path %s", r.URL.Path)
			}
			d.EncodeResponse(w, oauth.TokenResponse{AccessToken: "x"})
		}))
		command := d.TokenCommand(server.URL+d.Wire.Path, "my id", secret, scope, audience)
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		server.Close()
		if err != nil || failed != nil || !strings.Contains(string(out), `"x"`) {
			t.Errorf("%s: %v, %v: %s\n%s", d.Name, err, failed, out, command)
			continue
		}
		if got.Credentials.ID != "my id" || got.Credentials.Secret != secret {
			t.Errorf("%s: other credentials", d.Name)
		}
		want.Credentials = got.Credentials
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", d.Name, diff)
		}
	}
}
