package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// dex is Dex, an OpenID provider that nobody here wrote. Its configuration is that of the recipe
// "With Dex" in docs/signing-in.md, at ports of its own.
type dex struct {
	t       *testing.T
	program string
	config  map[string]any
	recipe  map[string]string // the blocks of YAML that begin with a name
	out     *log
	cmd     *exec.Cmd // nil: it does not run
}

// newDex reads the recipe. Dex does not run yet.
func newDex(t *testing.T) *dex {
	t.Helper()
	path, err := exec.Command("../.ci/dex", "where").Output()
	if err != nil {
		t.Fatal(err)
	}
	d := &dex{t: t, program: strings.TrimSpace(string(path)), out: new(log)}
	need(t, "Dex, which .ci/dex builds,", d.program, "version")
	ports := freePorts(t, 3)
	free := strings.NewReplacer("5556", ports[0], "8080", ports[1], "9090", ports[2])
	d.recipe = map[string]string{}
	for _, file := range []string{"../docs/signing-in.md", "../docs/gateway.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n# (\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			d.recipe[block[1]] = free.Replace(block[2])
		}
	}
	if err := yaml.Unmarshal([]byte(d.recipe["dex.yaml"]), &d.config); err != nil || d.config["issuer"] == nil {
		t.Fatalf("the recipe has no dex.yaml: %v", err)
	}
	t.Cleanup(d.stop)
	return d
}

// freePorts are ports at which nobody listens. They lie below those that systems give to whoever
// names none, who could else have one while Dex is away.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(5_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		defer l.Close() //nolint:errcheck,revive // all at once, so that no two are one
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatal("no free ports")
	return nil
}

func (d *dex) issuer() string { return d.config["issuer"].(string) }

// add adds to a list of its configuration, for the next start.
func (d *dex) add(list string, entries ...map[string]any) {
	for _, e := range entries {
		d.config[list] = append(d.config[list].([]any), e)
	}
}

// client is one of its clients.
func (d *dex) client(id string) map[string]any {
	for _, c := range d.config["staticClients"].([]any) {
		if c := c.(map[string]any); c["id"] == id {
			return c
		}
	}
	d.t.Fatalf("there is no client %s", id)
	return nil
}

// person is somebody whose password there is that of the recipe.
func (d *dex) person(email string, more map[string]any) map[string]any {
	first := d.config["staticPasswords"].([]any)[0].(map[string]any)
	p := map[string]any{"email": email, "username": email, "userID": "id of " + email, "hash": first["hash"]}
	for k, v := range more {
		p[k] = v
	}
	return p
}

// start starts Dex, with keys that it never had.
func (d *dex) start() {
	d.t.Helper()
	text, err := json.Marshal(d.config) // which is YAML
	if err != nil {
		d.t.Fatal(err)
	}
	file := filepath.Join(d.t.TempDir(), "dex.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.cmd = exec.Command(d.program, "serve", file) //nolint:gosec // built by .ci/dex
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if resp, err := http.Get(d.issuer() + "/keys"); err == nil { //nolint:noctx // this machine
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond) // of another process there is no other word
	}
	d.t.Fatalf("Dex does not answer: %s", d.out)
}

func (d *dex) stop() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

// restart is stop and start.
func (d *dex) restart() {
	d.t.Helper()
	d.stop()
	d.start()
}

// browser keeps cookies and follows redirects, but not to where it is told to stop.
type browser struct {
	t *testing.T
	http.Client
	before  string // where it stops: a URL begins so; empty: nowhere
	stopped *url.URL
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	b.Jar = jar
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if b.before != "" && strings.HasPrefix(r.URL.String(), b.before) {
			b.stopped = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// page is what a browser shows.
type page struct {
	status int
	at     *url.URL
	text   string
}

func (p page) String() string { return fmt.Sprintf("%d of %s: %s", p.status, p.at.Redacted(), p.text) }

// open asks for a page.
func (b *browser) open(method, at, body string, header ...string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, at, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.show(r)
}

// show is what comes of a request.
func (b *browser) show(r *http.Request) page {
	b.t.Helper()
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Request.URL, string(text)}
}

var loginForm = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)">.* name="login".* name="password"`)

// logIn opens a page that leads to Dex, and fills in its form.
func (b *browser) logIn(at, email string) page {
	b.t.Helper()
	p := b.open(http.MethodGet, at, "")
	form := loginForm.FindStringSubmatch(p.text)
	if form == nil {
		b.t.Fatalf("no form to log in with: %s", p)
	}
	to, err := p.at.Parse(html.UnescapeString(form[1]))
	if err != nil {
		b.t.Fatal(err)
	}
	in := url.Values{"login": {email}, "password": {"password"}}
	return b.open(http.MethodPost, to.String(), in.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// held is logIn up to before, and where the browser would have gone.
func (b *browser) held(at, email, before string) *url.URL {
	b.t.Helper()
	b.before, b.stopped = before, nil
	p := b.logIn(at, email)
	b.before = ""
	if b.stopped == nil {
		b.t.Fatalf("not sent to %s: %s", before, p)
	}
	return b.stopped
}
