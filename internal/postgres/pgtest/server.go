package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Env names the URL of a server that runs already; its user may make databases.
const Env = "POSTERN_TEST_POSTGRES"

const startTimeout = 30 * time.Second

var errNone = errors.New("there is no PostgreSQL here: .ci/install installs it, or name one with " + Env)

// Server is a PostgreSQL for tests.
type Server struct {
	url string // of the database postgres
}

// Main runs the tests of a package with one server for all of them.
func Main(m *testing.M) int {
	if os.Getenv(Env) != "" {
		return m.Run()
	}
	found, stop, err := start()
	if errors.Is(err, errNone) {
		return m.Run() // each test that needs it says so
	}
	if err == nil {
		defer stop()
		err = os.Setenv(Env, found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start PostgreSQL:", err)
		return 1
	}
	return m.Run()
}

// Start returns the server of the package, or one for this test.
func Start(t testing.TB) *Server {
	t.Helper()
	if there := os.Getenv(Env); there != "" {
		return &Server{there}
	}
	made, stop, err := start()
	switch {
	case errors.Is(err, errNone) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return &Server{made}
}

// Database makes an empty database, which goes with the test, and returns its
// URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "postern_" + strings.ToLower(rand.Text())
	s.Exec(t, `CREATE DATABASE `+name)
	t.Cleanup(func() { s.Exec(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Exec runs statements as the user who may make databases.
func (s *Server) Exec(t testing.TB, text string) {
	t.Helper()
	Exec(t, s.url, text)
}

// Exec runs statements in a database.
func Exec(t testing.TB, database, text string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// Run starts a server without a test, whatever Env names, and returns the URL of its
// database postgres and what ends it. Settings (`fsync=on`) take the place of ours,
// which are for speed and lose data when the machine stops.
func Run(settings ...string) (url string, stop func(), err error) { return start(settings...) }

// start makes a cluster in a temporary directory and runs it as a child that
// ends with us. Connections over TCP need a password, those over the socket none.
func start(settings ...string) (found string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "postern-pg-")
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	who, err := owner(dir)
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8",
		"--auth-local=trust", "--auth-host=scram-sha-256") // #nosec G204 -- Debian's binary
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	args := []string{
		"-D", data, "-k", dir, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=200", "-c", "autovacuum=off", "-c", "log_min_messages=fatal",
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), args...) // #nosec G204 -- Debian's binary
	server.SysProcAttr, server.Dir = who, dir
	ended, err := run(server)
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGINT) // a fast shutdown; it may have ended
		<-ended
		_ = os.RemoveAll(dir)
	}
	found = (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{
		"host": {dir}, "port": {strconv.Itoa(port)}, "user": {"postgres"}}.Encode()}).String()
	if err := ready(found, ended); err != nil {
		stop()
		return "", nil, err
	}
	return found, stop, nil
}

// binaries is the folder of the newest PostgreSQL that is installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errNone
	}
	return filepath.Dir(slices.Max(found)), nil
}

// owner gives the directory to whom PostgreSQL can run as: it refuses root.
func owner(dir string) (*syscall.SysProcAttr, error) {
	attr := diesWithUs()
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, errU := strconv.ParseUint(u.Uid, 10, 32)
	gid, errG := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(errU, errG, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

// run starts the command on a thread that lives as long as it: the kernel ends
// it with that thread.
func run(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	done, began := make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		began <- err
		if err == nil {
			_ = cmd.Wait() // ready tells whether it came up
		}
	}()
	return done, <-began
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func ready(database string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, database)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ended:
			return fmt.Errorf("PostgreSQL ended at once: %w", err)
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
