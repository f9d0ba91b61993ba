package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
)

const one = "kind: Issuer\nname: one\nurl: https://one.example\n---\nkind: Client\nissuer: one\nname: c\nplatform_wide: true\naudiences: [\"urn:one\"]\n"

// openOne starts a server with one issuer and one client, and returns a good request.
func openOne(t *testing.T, change func(*config.Config)) (*world, []byte) {
	t.Helper()
	w := openAt(t, time.Now, change)
	list, err := w.create(one)
	if err != nil {
		t.Fatal(err)
	}
	return w, compose([]string{
		"POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "",
		"grant_type=client_credentials&client_id=" + list[0].ID + "&client_secret=" + string(list[0].secret),
	}, "one.example")
}

// closedWithin reports how long the server bears what feed sends it.
func closedWithin(t *testing.T, address string, feed func(net.Conn) error) (time.Duration, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	go func() {
		for feed(conn) == nil {
		}
	}()
	_ = conn.SetReadDeadline(began.Add(15 * time.Second))
	said, err := io.ReadAll(conn)
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Fatalf("still open after %v: %s", time.Since(began), said)
	}
	return time.Since(began), string(said)
}

// D-34: slow headers and slow bodies end when the limits say, whatever trickles in.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	w, request := openOne(t, func(c *config.Config) {
		c.Limits.HeaderTimeout, c.Limits.ReadTimeout, c.Limits.WriteTimeout, c.Limits.IdleTimeout = 1, 1, 2, 1
	})
	trickle := func(first string) func(net.Conn) error {
		return func(c net.Conn) error {
			_, err := io.WriteString(c, first)
			first = "a"
			time.Sleep(50 * time.Millisecond)
			return err
		}
	}
	for name, feed := range map[string]func(net.Conn) error{
		"headers": trickle("POST /oauth2/token HTTP/1.1\r\nHost: one.example\r\nX-A: "),
		"body":    trickle("POST /oauth2/token HTTP/1.1\r\nHost: one.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\ngrant_type=client_credentials&pad="),
		"silence": func(net.Conn) error { return io.EOF },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			took, said := closedWithin(t, w.addresses[0], feed)
			if took > 5*time.Second || strings.Contains(said, " 200 ") {
				t.Errorf("%v %s", took, said)
			}
			c := &wire{address: w.addresses[0]}
			defer c.close()
			if a, err := c.send(request); err != nil || a.status != 200 {
				t.Errorf("meanwhile: %v %+v", err, a)
			}
		})
	}
}

// D-34: 100,000 headers, or a long one, are refused; and the server does not wait
// for the rest once it has read more than the limit.
func TestHeadersWithoutEnd(t *testing.T) {
	t.Parallel()
	w, _ := openOne(t, nil)
	begin := "POST /oauth2/token HTTP/1.1\r\nHost: one.example\r\n"
	for name, text := range map[string]string{
		"100,000 headers":        begin + strings.Repeat("X-A: a\r\n", 100_000) + "\r\n",
		"a little over 20 KiB":   begin + strings.Repeat("X-A: a\r\n", 3000),
		"one header of 24 KiB":   begin + "Authorization: Basic " + strings.Repeat("a", 24<<10),
		"a path of 24 KiB":       "POST /" + strings.Repeat("a", 24<<10) + " HTTP/1.1\r\n",
		"a method of a megabyte": strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			once := func(c net.Conn) error {
				_, err := io.WriteString(c, text)
				return errors.Join(err, io.EOF)
			}
			took, said := closedWithin(t, w.addresses[0], once)
			if !strings.HasPrefix(said, "HTTP/1.1 431 ") || took > 4*time.Second {
				t.Errorf("%v %q", took, said)
			}
		})
	}
}

// D-34: connections beyond the limit wait for a seat, and get it.
func TestMaxConnections(t *testing.T) {
	t.Parallel()
	w, request := openOne(t, func(c *config.Config) { c.Limits.MaxConnections = 16 })
	var held []*wire
	for range 16 {
		c := &wire{address: w.addresses[0]}
		if a, err := c.send(request); err != nil || a.status != 200 {
			t.Fatal(err, a)
		}
		held = append(held, c)
	}
	late := make(chan error, 1)
	go func() {
		c := &wire{address: w.addresses[0]}
		defer c.close()
		a, err := c.send(request)
		if err == nil && a.status != 200 {
			err = fmt.Errorf("%+v", a)
		}
		late <- err
	}()
	select {
	case err := <-late:
		t.Fatalf("one too many was answered: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	for _, c := range held {
		c.close()
	}
	if err := <-late; err != nil {
		t.Error(err)
	}
}

// D-14: thousands of invented ids leave a handful of rows, and no counter each.
func TestSprayedIDsLeaveLittle(t *testing.T) {
	t.Parallel()
	w, _ := openOne(t, nil)
	for source := range 4 {
		c := &wire{address: w.addresses[0], from: net.IPv4(127, 6, 0, byte(source+1))}
		for i := range 250 {
			a, err := c.send(compose([]string{
				"POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "",
				fmt.Sprintf("grant_type=client_credentials&client_id=id-%d-%d&client_secret=x", source, i),
			}, "one.example"))
			if err != nil || a.status != 401 {
				t.Fatal(err, a)
			}
		}
		c.close()
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.side = nil
	db, err := w.database()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, counted, ids int
	if err := db.QueryRow(`SELECT count(*), sum(coalesce(count, 1)) FROM activity WHERE client IS NULL`).Scan(&rows, &counted); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM interned WHERE value LIKE 'id-%'`).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	if rows > 100 || counted != 1000 || ids != 0 {
		t.Errorf("%d rows that stand for %d refusals, %d ids kept", rows, counted, ids)
	}
}

// RULES: plain HTTP beyond this machine only where a TLS proxy is said to stand in front.
func TestPlainHTTPBeyondLoopback(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "master.key"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(listener string) error {
		file := filepath.Join(dir, "postern.yaml")
		text := "data: " + dir + "\nmaster_key_file: master.key\nlisteners:\n  - " + listener + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(file)
		return err
	}
	for _, address := range []string{"0.0.0.0:8080", ":8080", "192.0.2.1:8080", "[::]:8080", "example.com:8080"} {
		err := load(`{address: "` + address + `", surfaces: [token]}`)
		if err == nil || !strings.Contains(err.Error(), "plain HTTP beyond this machine") {
			t.Errorf("%s: %v", address, err)
		}
		if err := load(`{address: "` + address + `", surfaces: [token], behind_tls_proxy: true}`); err != nil {
			t.Errorf("%s behind a proxy: %v", address, err)
		}
	}
	if err := load(`{address: "127.0.0.1:8080", surfaces: [token]}`); err != nil {
		t.Error(err)
	}
}

// Told to stop, the server finishes what is in flight and takes nothing new.
func TestGracefulShutdown(t *testing.T) {
	t.Parallel()
	w, request := openOne(t, nil)
	c := &wire{address: w.addresses[0]}
	if err := c.dial(); err != nil {
		t.Fatal(err)
	}
	half := len(request) - 10
	if _, err := c.conn.Write(request[:half]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // its headers are read
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	for range 200 {
		other, err := net.Dial("tcp", w.addresses[0])
		if err != nil {
			break
		}
		_ = other.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := net.Dial("tcp", w.addresses[0]); err == nil {
		t.Error("still listening")
	}
	if _, err := c.conn.Write(request[half:]); err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(bufio.NewReader(c.conn), false)
	if err != nil || a.status != 200 {
		t.Fatalf("in flight: %v %+v", err, a)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	w.side = nil
	db, err := w.database()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	issued := 0
	if err := db.QueryRow(`SELECT count(*) FROM activity WHERE action = (SELECT id FROM interned WHERE value = 'token.issue')`).Scan(&issued); err != nil || issued != 1 {
		t.Errorf("%d tokens in activity: %v", issued, err)
	}
}

// Health: alive, ready, and not ready once the store cannot be followed.
func TestReadiness(t *testing.T) {
	w := open(t, nil)
	get := func(path string) int {
		resp, err := http.Get("http://" + w.addresses[0] + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if get("/livez") != 200 || get("/readyz") != 200 {
		t.Error("not ready")
	}
	p := &player{world: w}
	if err := p.stale(); err != nil {
		t.Fatal(err)
	}
	if get("/livez") != 200 || get("/readyz") != 503 {
		t.Error("ready though stale")
	}
	if err := p.fresh(); err != nil {
		t.Fatal(err)
	}
	if get("/readyz") != 200 {
		t.Error("not ready again")
	}
	if err := w.node.Snapshot.Poll(context.Background()); err != nil {
		t.Error(err)
	}
}
