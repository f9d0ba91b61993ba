package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// canary is a secret in every form in which it might be written down.
func canary(id, secret string) map[string][]byte {
	pair := id + ":" + secret
	return map[string][]byte{
		"itself": []byte(secret), "base64": []byte(base64.StdEncoding.EncodeToString([]byte(secret))),
		"Basic": []byte(base64.StdEncoding.EncodeToString([]byte(pair))), "hex": []byte(hex.EncodeToString([]byte(secret))),
		"escaped": []byte(url.QueryEscape(secret)), "most of it": []byte(secret[:len(secret)-6]),
	}
}

// sends are requests that carry the secret wherever a client might put it.
func sends(id, secret string) [][]string {
	form := "Content-Type: application/x-www-form-urlencoded"
	good := "grant_type=client_credentials&client_id=" + id + "&client_secret=" + url.QueryEscape(secret)
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	return [][]string{
		{"POST /oauth2/token HTTP/1.1", form, "", good},
		{"POST /oauth2/token HTTP/1.1", form, basic, "", "grant_type=client_credentials"},
		{"POST /oauth2/token HTTP/1.1", form, basic, "", good},
		{"POST /oauth2/token?client_secret=" + url.QueryEscape(secret) + " HTTP/1.1", form, "", good}, // D-04
		{"POST /nowhere?client_secret=" + url.QueryEscape(secret) + " HTTP/1.1", form, "", good},
		{"GET /oauth2/token?client_secret=" + url.QueryEscape(secret) + " HTTP/1.1"},
		{"POST /oauth2/token HTTP/1.1", form, "", good + "&client_secret=" + url.QueryEscape(secret)},
		{"POST /oauth2/token HTTP/1.1", form, "", good + "&scope=" + url.QueryEscape(secret)},
		{"POST /oauth2/token HTTP/1.1", form, "", good + "&resource=" + url.QueryEscape(secret)},
		{"POST /oauth2/token HTTP/1.1", form, "", "grant_type=" + url.QueryEscape(secret)},
		{"POST /oauth2/token HTTP/1.1", form, "", "grant_type=client_credentials&client_secret=x&client_id=" + url.QueryEscape(secret)},
		{"POST /oauth2/token HTTP/1.1", form, "", good + "&" + url.QueryEscape(secret) + "=1&" + url.QueryEscape(secret) + "=2"},
		{"POST /oauth2/token HTTP/1.1", form, "Authorization: Bearer " + url.QueryEscape(secret), "", good},
		{"POST /oauth2/token HTTP/1.1", "Content-Type: " + url.QueryEscape(secret), "", good},
		{"POST /oauth2/token HTTP/1.1", form, "Transfer-Encoding: " + url.QueryEscape(secret), "", good},
		{"POST /oauth2/token HTTP/1.1", form, "", good + "%"},
		{"POST /oauth2/token HTTP/1.1", form, "Origin: https://" + url.QueryEscape(secret), "", good + "x"},
	}
}

// D-37, D-04, OMN-08: two secrets, one of our making and one imported, and the tokens they
// got are looked for in every place where something is kept or said.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	list, err := w.create(`kind: Issuer
name: canary
url: https://canary.example
imported_secrets: true
---
kind: Tenant
id: cc000000-0000-4000-8000-000000000001
label: Canaries
---
kind: Client
issuer: canary
id: cc000000-0000-4000-8000-00000000000a
name: generated
tenant: cc000000-0000-4000-8000-000000000001
scopes: [sing]
audiences: ["urn:canary"]
`)
	if err != nil {
		t.Fatal(err)
	}
	const imported = "Tweety+is/a%bird~who.knows"
	ctx, r := context.Background(), w.node.Registry
	spec := domain.Client{Issuer: "canary", ID: "tweety", Name: "imported", Tenant: "cc000000-0000-4000-8000-000000000001", Audiences: []string{"urn:canary"}}
	if _, err := r.ImportClient(ctx, administrator, spec, registry.Imported{Secret: imported}); err != nil {
		t.Fatal(err)
	}
	needles := make(map[string][]byte)
	said := new(bytes.Buffer) // bodies and headers of refusals, and what else is said
	for id, secret := range map[string]string{list[0].ID: string(list[0].secret), "tweety": imported} {
		for form, text := range canary(id, secret) {
			needles[id+": "+form] = text
		}
		for n, token := range w.speak(t, said, sends(id, secret)) {
			needles[fmt.Sprintf("%s: token %d", id, n)] = []byte(token)
			needles[fmt.Sprintf("%s: signature of token %d", id, n)] = []byte(token[strings.LastIndexByte(token, '.')+1:])
		}
	}
	if len(needles) < 16 {
		t.Fatalf("%d needles: no token was issued", len(needles))
	}
	w.administer(t, said)
	w.print(t, said, list[0])
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	printAll(said, w.node, *w.node.Registry)
	sinks := map[string][]byte{"log": []byte(w.log.String()), "said": said.Bytes()}
	files, err := filepath.Glob(filepath.Join(w.data, "*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			sinks[filepath.Base(file)] = data
		}
	}
	for sink, data := range sinks {
		for what, text := range needles {
			if i := bytes.Index(data, text); i >= 0 {
				t.Errorf("%s holds %s: …%q…", sink, what, data[max(0, i-80):min(len(data), i+20)])
			}
		}
	}
	if !strings.Contains(w.log.String(), `"msg":"request"`) || !bytes.Contains(sinks["postern.db"], []byte("client.import")) {
		t.Error("the sinks are empty: nothing was looked through")
	}
}

// speak sends requests, keeps what the refusals say, and returns the tokens.
func (w *world) speak(t *testing.T, said io.Writer, list [][]string) (tokens []string) {
	t.Helper()
	c := &wire{address: w.addresses[0]}
	defer c.close()
	for _, lines := range list {
		a, err := c.send(compose(lines, "canary.example"))
		if err != nil {
			t.Fatalf("%s: %v", lines[0], err)
		}
		var token struct {
			Token string `json:"access_token"`
		}
		if a.status == 200 {
			if err := json.Unmarshal([]byte(a.body), &token); err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, token.Token)
			continue
		}
		fmt.Fprintf(said, "%d %v %s\n", a.status, a.fields, a.body)
	}
	return tokens
}

// administer asks the admin API for all it has, and for the metrics.
func (w *world) administer(t *testing.T, said io.Writer) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.socket)
	}}}
	defer client.CloseIdleConnections()
	for _, url := range []string{"http://admin/api/admin/clients", "http://admin/api/admin/issuers/canary/keys", "http://" + w.addresses[0] + "/metrics"} {
		c := client
		if !strings.Contains(url, "//admin/") {
			c = http.DefaultClient
		}
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(said, resp.Body); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// print prints what holds or held a secret, in every way there is.
func (w *world) print(t *testing.T, said io.Writer, c made) {
	t.Helper()
	ctx := context.Background()
	kept, err := w.node.Registry.GetClient(ctx, c.Issuer, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	known, err := w.node.Snapshot.Client(ctx, c.Issuer, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	cred := oauth.Credentials{ID: c.ID, Secret: c.secret}
	rfc, _ := dialect.Builtin().Get("rfc")
	r, err := rfc.EncodeRequest(ctx, "https://canary.example/oauth2/token", oauth.TokenRequest{GrantType: oauth.ClientCredentials, Credentials: cred})
	if err != nil {
		t.Fatal(err)
	}
	req, err := rfc.DecodeRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	printAll(said, c.Client, kept, known, known.Client, known.Secrets[0].Secret, cred, req, &req, oauth.TokenResponse{AccessToken: c.secret}, registry.Imported{Secret: c.secret}, c.secret)
}

func printAll(said io.Writer, values ...any) {
	for _, v := range values {
		fmt.Fprintf(said, "%v %+v %#v %s %q %x\n", v, v, v, v, v, v)
		if data, err := json.Marshal(v); err == nil {
			_, _ = said.Write(data)
		}
	}
}

// COM-05, D-12: a generated secret has its form, and is kept as a keyed hash.
func TestGeneratedSecret(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	list, err := w.create("kind: Issuer\nname: one\nurl: https://one.example\n---\nkind: Client\nissuer: one\nname: c\nplatform_wide: true\naudiences: [x]\n")
	if err != nil {
		t.Fatal(err)
	}
	plain := string(list[0].secret)
	if !secret.WellFormed(plain) || !strings.HasPrefix(plain, "pst_") || strings.Trim(plain, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Error("not as COM-04 and COM-05 have it")
	}
	db, err := w.database()
	if err != nil {
		t.Fatal(err)
	}
	var private []byte
	if err := db.QueryRow(`SELECT private FROM object WHERE kind = 'client'`).Scan(&private); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(private, []byte("$postern$")) {
		t.Errorf("%s", private)
	}
}

// OMN-08, D-35: both request ids in log and activity.
func TestRequestIDsInLogAndActivity(t *testing.T) {
	t.Parallel()
	w := openAt(t, time.Now, nil) // batches of activity wait by the clock
	list, err := w.create("kind: Issuer\nname: one\nurl: https://one.example\ndialect: omnilab\n---\nkind: Client\nissuer: one\nname: c\nplatform_wide: true\naudiences: [x]\n")
	if err != nil {
		t.Fatal(err)
	}
	c := &wire{address: w.addresses[0]}
	a, err := c.send(compose([]string{
		"POST /v1/oauth:token HTTP/1.1", "Content-Type: application/json", "X-Correlation-Id: the-callers-own", "",
		`{"grant_type":"client_credentials","audience":"x","client_id":"` + list[0].ID + `","client_secret":"x"}`,
	}, "one.example"))
	if err != nil || a.status != 401 {
		t.Fatal(err, a)
	}
	c.close()
	id, err := domain.ParseEventID(a.get("X-Request-Id")[0])
	if err != nil {
		t.Fatal(err)
	}
	db, err := w.database()
	if err != nil {
		t.Fatal(err)
	}
	rows, line := 0, false
	for range 300 {
		if err := db.QueryRow(`SELECT count(*) FROM activity WHERE id = ? AND correlation = 'the-callers-own'`, id[:]).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		line = strings.Contains(w.log.String(), `"request_id":"`+id.String()+`"`) && strings.Contains(w.log.String(), `"correlation_id":"the-callers-own"`)
		if rows == 1 && line {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d rows of activity, line in the log: %t\n%s", rows, line, w.log)
}
