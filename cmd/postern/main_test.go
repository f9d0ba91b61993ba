package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts and tests run `postern`, which is this binary.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"postern": main})
}

// need skips a test where a program is missing, and fails it in CI.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: .ci/install installs it", p)
			}
			t.Skipf("%s is missing", p)
		}
	}
}

// Each script is a conversation with the command line. $PORT is a free port, $OPS
// another one for health, $DEV the first of six.
func TestScripts(t *testing.T) {
	need(t, "curl", "bash", "jq")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			base, err := freePorts(8)
			if err != nil {
				return err
			}
			env.Setenv("DEV", strconv.Itoa(base))
			env.Setenv("PORT", strconv.Itoa(base+6))
			env.Setenv("OPS", strconv.Itoa(base+7))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: ready host:port")
				}
				ts.Check(ready(args[0]))
			},
			"mode": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: mode 0600 file")
				}
				info, err := os.Stat(ts.MkAbs(args[1]))
				ts.Check(err)
				if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
					ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
				}
			},
		},
	})
}

// ready waits until the server says that it can do its work.
func ready(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond) // of another process there is no other word
	}
	return errors.New("the server at " + address + " did not become ready")
}

// freePorts returns the first of n neighbouring ports at which nobody listens. They lie
// below those that systems give to whoever names none, which could go to somebody else
// before they are used.
func freePorts(n int) (int, error) {
	for range 100 {
		base := 15_000 + rand.IntN(15_000)
		var open []net.Listener
		for i := range n {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(base+i)))
			if err != nil {
				break
			}
			open = append(open, l)
		}
		for _, l := range open {
			_ = l.Close() // nothing was sent
		}
		if len(open) == n {
			return base, nil
		}
	}
	return 0, errors.New("no neighbouring free ports")
}
