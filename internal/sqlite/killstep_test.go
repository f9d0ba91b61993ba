package sqlite_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	modernc "modernc.org/sqlite"
)

// killStep makes the child kill itself right after it has written so many rows.
const killStep = "POSTERN_KILL_TEST_STEP"

// killAtStep puts a trigger behind every row that is written, of any table: the
// process dies between two statements of a transaction.
func killAtStep(step string) error {
	if step == "" {
		return nil
	}
	last, err := strconv.ParseInt(step, 10, 64)
	if err != nil {
		return err
	}
	var n atomic.Int64
	count := func(*modernc.FunctionContext, []driver.Value) (driver.Value, error) {
		if n.Add(1) == last {
			return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil, nil
	}
	if err := modernc.RegisterScalarFunction("step", 0, count); err != nil {
		return err
	}
	modernc.RegisterConnectionHook(func(conn modernc.ExecQuerierContext, dsn string) error {
		if strings.Contains(dsn, "query_only") {
			return nil
		}
		for _, on := range []string{"INSERT ON object", "INSERT ON change", "UPDATE ON feed", "INSERT ON interned", "INSERT ON batch", "INSERT ON activity"} {
			text := fmt.Sprintf("CREATE TEMP TRIGGER %q AFTER %s BEGIN SELECT step(); END", "after "+on, on)
			if _, err := conn.ExecContext(context.Background(), text, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

// DESIGN §9, between statements: dead after the n-th row, whatever it was.
func TestKillBetweenStatements(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	afterKill(t, dir, nil) // makes the tables
	var acknowledged []string
	for step := 1; step <= 25; step++ {
		acknowledged = append(acknowledged, killedChild(t, self, dir, strconv.Itoa(step), 1<<40)...)
		afterKill(t, dir, acknowledged)
	}
}
