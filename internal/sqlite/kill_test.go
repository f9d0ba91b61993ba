package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/sqlite"
)

// killDir makes the test binary the child of the kill test: it writes there.
const killDir = "POSTERN_KILL_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		if err := killAtStep(os.Getenv(killStep)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := writeUntilKilled(context.Background(), dir, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled makes pairs of clients, each pair in one change, and batches
// of three entries, and tells on out what is acknowledged.
func writeUntilKilled(ctx context.Context, dir string, out io.Writer) error {
	db, err := sqlite.Open(ctx, dir, sqlite.Options{})
	if err != nil {
		return err
	}
	run := fmt.Sprint(os.Getpid())
	failed := make(chan error, 2)
	go func() {
		for n := 0; ; n++ {
			list := storetest.Entries(time.Now(), 3)
			if err := db.Append(ctx, "node-1", list); err != nil {
				failed <- err
			}
			fmt.Fprintf(out, "activity %s %s %s\n", list[0].ID, list[1].ID, list[2].ID)
		}
	}()
	go func() {
		for n := 0; ; n++ {
			key := fmt.Sprintf("%s-%d", run, n)
			if err := pair(ctx, db, key); err != nil {
				failed <- err
			}
			fmt.Fprintf(out, "change %s\n", key)
		}
	}()
	return <-failed
}

func pair(ctx context.Context, db *sqlite.DB, key string) error {
	a, b := domain.Client{Issuer: "a", ID: key}, domain.Client{Issuer: "b", ID: key, Note: strings.Repeat("long ", 2000)}
	_, err := db.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
		for _, c := range []domain.Client{a, b} {
			if _, err := t.Clients.Put(ctx, c, 0); err != nil {
				return nil, err
			}
		}
		return []domain.Change{
			{Kind: domain.KindClient, Key: a.Key(), Action: "client.create"},
			{Kind: domain.KindClient, Key: b.Key(), Action: "client.create"},
		}, nil
	})
	return err
}

// DESIGN §9: SIGKILL at any moment loses no acknowledged change, leaves no half
// of one, and breaks no chain.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var acknowledged []string
	for range 8 {
		lines := killedChild(t, self, dir, "", 100*time.Millisecond+rand.N(300*time.Millisecond))
		acknowledged = append(acknowledged, lines...)
		afterKill(t, dir, acknowledged)
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d lines were acknowledged: this shows little", len(acknowledged))
	}
	t.Logf("%d acknowledged", len(acknowledged))
}

// killedChild lets a child write for a while after its first line, kills it and
// returns its complete lines.
func killedChild(t *testing.T, self, dir, step string, after time.Duration) (lines []string) {
	t.Helper()
	child := exec.Command(self)
	child.Env = append(os.Environ(), killDir+"="+dir, killStep+"="+step)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			break
		}
		if lines == nil {
			time.AfterFunc(after, func() { _ = child.Process.Signal(syscall.SIGKILL) })
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	_ = child.Wait() // killed, or it says otherwise
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the child ended by itself: %v", child.ProcessState)
	}
	if lines == nil && step == "" {
		t.Fatal("the child wrote nothing")
	}
	return lines
}

func afterKill(t *testing.T, dir string, acknowledged []string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // read only
	if err := verify(t, db); err != nil {
		t.Error(err)
	}
	list, err := db.Read().Clients.List(t.Context(), domain.Page{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, c := range list {
		there[c.Key()] = true
	}
	for _, c := range list {
		if !there["a/"+c.ID] || !there["b/"+c.ID] {
			t.Errorf("half a change: %q", c.Key())
		}
	}
	entries, err := db.Search(t.Context(), domain.Query{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		there[e.ID.String()] = true
	}
	head, err := db.Head(t.Context())
	if err != nil || int(head.Seq) != len(list) {
		t.Errorf("%d objects, %d changes, %v", len(list), head.Seq, err)
	}
	for _, line := range acknowledged {
		words := strings.Fields(line)
		if words[0] == "change" {
			words = []string{"", "a/" + words[1], "b/" + words[1]}
		}
		if i := slices.IndexFunc(words[1:], func(w string) bool { return !there[w] }); i >= 0 {
			t.Errorf("acknowledged and lost: %s", line)
		}
	}
}
