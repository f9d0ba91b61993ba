package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// need skips where a program is missing, but not where CI=true.
func need(t *testing.T, what string, check ...string) {
	t.Helper()
	if err := exec.Command(check[0], check[1:]...).Run(); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing", what)
}

// ARB-19, TRI-14: the token commands that the vendors print, run by bash and
// python3 as an integrator would. Files called *.refused.* are those that our docs
// warn of.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	names := []string{"trialbee", "omnilab", "arbitex"}
	_, issuers := openLive(t, names, map[string]string{"trialbee": "dialect: trialbee", "omnilab": "dialect: omnilab", "arbitex": "dialect: arbitex"})
	files, err := filepath.Glob("testdata/recipes/*")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		base := filepath.Base(file)
		vendor, _, _ := strings.Cut(base, "-")
		l := issuers[vendor]
		t.Run(base, func(t *testing.T) {
			need(t, "curl", "curl", "--version")
			need(t, "jq", "jq", "--version")
			shell := []string{"bash", "-euo", "pipefail", file}
			if strings.HasSuffix(base, ".py") {
				need(t, "requests of python3", "python3", "-c", "import requests")
				shell = []string{"python3", file}
			}
			out, err := run(l, shell)
			token := tokenOf(out)
			if strings.Contains(base, ".refused.") {
				if err == nil && strings.Count(token, ".") == 2 {
					t.Fatalf("works after all: %s", out)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			l.verify(t, token)
		})
	}
}

func run(l live, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own files
	cmd.Env = append(os.Environ(), "BASE="+l.base, "CLIENT_ID="+l.id, "CLIENT_SECRET="+l.secret, "AUDIENCE="+l.audience, "NO_PROXY=*", "no_proxy=*")
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// tokenOf takes the token out of what was printed: itself, or the answer.
func tokenOf(out string) string {
	var answer struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal([]byte(out), &answer) == nil {
		return answer.Token
	}
	return out
}
