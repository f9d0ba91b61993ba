package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/oauth/dialect"
)

// startDev runs `postern dev` until the test ends, and returns its screen and what
// it wrote for programs.
func startDev(t *testing.T, args ...string) (screen string, issuers []shownIssuer) {
	t.Helper()
	base, err := freePorts(7)
	if err != nil {
		t.Fatal(err)
	}
	dir, ops := t.TempDir(), "127.0.0.1:"+strconv.Itoa(base+6)
	args = append([]string{
		"dev", "--listen", "127.0.0.1:" + strconv.Itoa(base), "--admin-listen", ops, "--json-file", filepath.Join(dir, "dev.json"),
	}, args...)
	cmd := exec.Command("postern", args...) //nolint:gosec // this binary
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, words := create(t, filepath.Join(dir, "out")), create(t, filepath.Join(dir, "words"))
	cmd.Stdout, cmd.Stderr = out, words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // one that has ended is found below
		if err := cmd.Wait(); err != nil {
			t.Errorf("postern dev: %v\n%s", err, read(t, words.Name()))
		}
	})
	if err := ready(ops); err != nil { // its screen is printed before it answers
		t.Fatalf("%v\n%s", err, read(t, words.Name()))
	}
	written := struct {
		Issuers *[]shownIssuer `json:"issuers"`
	}{&issuers}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "dev.json"))), &written); err != nil {
		t.Fatal(err)
	}
	return read(t, out.Name()), issuers
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name) //nolint:gosec // ours
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name) //nolint:gosec // ours
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// step is a numbered command on the screen with its caption.
var step = regexp.MustCompile(`(?m)^([1-9])\. (.*):\n\n((?: {3}.*\n)+)`)

// Every command on the screen does what its caption says, for each issuer (COM-11: the
// plain one first).
func TestScreen(t *testing.T) {
	need(t, "curl", "bash")
	for _, issuer := range append([]string{""}, dialect.Builtin().Names()...) {
		t.Run("show "+issuer, func(t *testing.T) {
			var args []string
			if issuer != "" {
				args = []string{"--show", issuer}
			}
			screen, issuers := startDev(t, args...)
			steps := step.FindAllStringSubmatch(screen, -1)
			if len(steps) != 3 {
				t.Fatalf("%d commands on the screen, want 3:\n%s", len(steps), screen)
			}
			first := "rfc"
			if issuer != "" {
				first = issuer
			}
			if !strings.HasPrefix(screen, "Postern is running. Issuer "+first+", client ") || issuers[0].Name != "rfc" {
				t.Errorf("the screen is not about %s:\n%s", first, screen)
			}
			for _, s := range steps {
				out, words, code := bash(t, s[3])
				if problem := kept(s[2], out, words, code); problem != "" {
					t.Errorf("%s. %s: %s\n%s\nexit %d\n%s%s", s[1], s[2], problem, s[3], code, out, words)
				}
			}
		})
	}
}

// kept says how a command did not keep the promise of its caption.
func kept(caption, out, words string, code int) string {
	switch {
	case code != 0:
		return "it failed"
	case caption == "Get a token" && (!strings.Contains(out, `"access_token"`) || strings.Contains(out, `"error"`)):
		return "there is no token"
	case caption == "See what is in it" && (!strings.Contains(words, "signature valid") || !strings.Contains(out, `"exp"`)):
		return "there are no verified claims"
	case strings.HasPrefix(caption, "Be refused, and told why") && (!strings.Contains(out, `"error"`) || !regexp.MustCompile(`(?m)^HTTP 4\d\d$`).MatchString(out)):
		return "it was not refused"
	case !regexp.MustCompile(`^(Get a token|See what is in it|Be refused, and told why .*)$`).MatchString(caption):
		return "nobody knows what this caption promises"
	}
	return ""
}

func bash(t *testing.T, command string) (out, words string, code int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", command) //nolint:gosec // what is to be tested
	var outBuf, wordsBuf strings.Builder
	cmd.Stdout, cmd.Stderr = &outBuf, &wordsBuf
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outBuf.String(), wordsBuf.String(), cmd.ProcessState.ExitCode()
}

// `dialect check` finds our own issuers to be what their dialects say, and notices
// where one speaks another.
func TestDialectCheckOfOurOwn(t *testing.T) {
	_, issuers := startDev(t)
	for _, i := range issuers {
		d, _ := dialect.Builtin().Get(i.Dialect)
		c := i.Clients[0]
		args := []string{"dialect", "check", i.TokenURL, "--dialect", i.Dialect, "--client-id", c.ID, "--scope", c.Scope}
		if d.Wire.Audience.Presence != dialect.None {
			args = append(args, "--audience", c.Audience)
		}
		out, words, code := postern(t, c.Secret+"\n", args...)
		if code != exitDone || strings.Count(out, "ok  ") != 8 || strings.Contains(out, "differs") {
			t.Errorf("%s: exit %d\n%s%s", i.Name, code, out, words)
		}
		if strings.Contains(out+words, c.Secret) {
			t.Errorf("%s: the secret was printed", i.Name) // D-111
		}
		for _, other := range issuers {
			if other.Dialect == i.Dialect {
				continue
			}
			out, words, code := postern(t, "", "dialect", "check", i.TokenURL, "--dialect", other.Dialect, "--json")
			var answers []checked
			if err := json.Unmarshal([]byte(out), &answers); err != nil || len(answers) != 7 {
				t.Fatalf("%s as %s: %v\n%s", i.Name, other.Dialect, err, out)
			}
			differ := 0
			for _, a := range answers {
				differ += min(len(a.Differs), 1)
			}
			if (code == exitFailed) != (differ > 0) {
				t.Errorf("%s as %s: exit %d with %d differences\n%s", i.Name, other.Dialect, code, differ, words)
			}
			if i.Name == "omnilab" && differ == 0 {
				t.Errorf("%s passes for %s", i.Name, other.Dialect)
			}
		}
	}
}

// A right endpoint with the wrong dialect is told by its token, too.
func TestDialectCheckOfAToken(t *testing.T) {
	_, issuers := startDev(t)
	var rfc shownIssuer
	for _, i := range issuers {
		if i.Name == "rfc" {
			rfc = i
		}
	}
	c := rfc.Clients[0]
	out, _, code := postern(t, c.Secret+"\n", "dialect", "check", rfc.TokenURL, "--dialect", "arbitex", "--client-id", c.ID)
	if code != exitFailed {
		t.Errorf("exit %d\n%s", code, out)
	}
	_, words, code := postern(t, "pst_wrong\n", "dialect", "check", rfc.TokenURL, "--dialect", "rfc", "--client-id", c.ID)
	if code != exitFailed || !strings.Contains(words, "the token request was refused") || strings.Contains(words, "pst_wrong") {
		t.Errorf("a refused secret: exit %d\n%s", code, words)
	}
}

// postern runs a command in this process.
func postern(t *testing.T, stdin string, args ...string) (out, words string, code int) {
	t.Helper()
	var outBuf, wordsBuf strings.Builder
	code = run(context.Background(), args, &streams{strings.NewReader(stdin), &outBuf, &wordsBuf})
	return outBuf.String(), wordsBuf.String(), code
}
