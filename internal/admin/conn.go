package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/oauth"
)

const (
	callTimeout = 60 * time.Second // of all but Apply, which takes as long as it takes
	maxAnswer   = 64 << 20         // bytes
	maxProblem  = 1 << 20          // bytes
)

// Conn speaks the admin API of a running server, over its socket or over the network.
type Conn struct {
	where string // for errors
	base  string // what the paths follow
	token oauth.Secret
	http  *http.Client
	err   error // of everything that is asked, where there is no way to ask
}

// Unusable is a Conn that answers everything with the error: why there is none.
func Unusable(err error) *Conn { return &Conn{err: err} }

// Dial prepares a connection; it is made when something is asked.
func Dial(socket string) *Conn {
	dialer := &net.Dialer{}
	return &Conn{where: socket, base: "http://postern" + prefix, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// DialURL is Dial over the network: to the server at an address such as
// https://admin.example.com, with an API key or a token of the management issuer. Without TLS
// it speaks to this machine only.
func DialURL(server string, token oauth.Secret) (*Conn, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, fmt.Errorf("%q is no address of a server; write https://host or https://host:port", server)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%q is plain HTTP beyond this machine, where the token could be read; write https://", server)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is no address of a server; write https://host or https://host:port", server)
	case token == "":
		return nil, errors.New("there is no token for " + server)
	}
	base := u.Scheme + "://" + u.Host
	return &Conn{where: base, base: base + prefix, token: token, http: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token goes nowhere else (D-113)
	}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Problem is what the admin API answers where it refuses (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`

	sent bool // with a token
}

// Error lists everything that is wrong.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Detail)
	if p.Detail == "" {
		fmt.Fprintf(&b, "%s (HTTP %d)", p.Title, p.Status)
	}
	for _, e := range p.Errors {
		b.WriteString("\n  ")
		if e.Location != "" {
			b.WriteString(e.Location + ": ")
		}
		b.WriteString(e.Message)
	}
	return b.String()
}

// Hint says what to do about a problem, where that is known from its type.
func (p *Problem) Hint() string {
	switch t := problemType(p.Type); {
	case t == unauthenticated && p.sent:
		return "the key or the token in the file of --token-file was taken away, has expired, or is none for administration: get another one"
	case t == notFresh && p.sent:
		return "an API key never counts as a fresh sign-in: use a token with the scope admin:platform, or the socket on the server's own machine"
	case t == unauthenticated:
		return "put an API key (`postern api-key create`) or a token of the management issuer into a file, and name it in POSTERN_TOKEN_FILE"
	case t == forbidden:
		return "`postern admin whoami` tells your role and where it holds"
	case t == noRotation:
		return "`postern client secrets` tells how they stand: `client rotate` begins a rotation, `client retire` completes it, `client rotate --cancel` takes the new secret back"
	case t == notFound:
		return p.listed()
	case t == declared:
		return "change the file that the object came from and `postern apply` it, or `postern release` the object first"
	}
	return ""
}

// listed says how what is missing is found, where it is something that has a list.
func (p *Problem) listed() string {
	noun, _, ok := strings.Cut(p.Detail, ` "`)
	if !ok || !slices.Contains([]string{"client", "tenant", "issuer", "api", "policy", "tier", "api_key"}, noun) {
		return ""
	}
	text := "`postern " + strings.ReplaceAll(noun, "_", "-") + " list` names those that you may see"
	if noun == "client" || noun == "tenant" || noun == "api_key" {
		text += ", each by its id first"
	}
	return text
}

// call is exchange within callTimeout.
func (c *Conn) call(ctx context.Context, method, path string, version int64, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.exchange(ctx, method, path, version, in, out)
}

// exchange sends in as JSON, if there is any, and reads the answer into out, if wanted.
func (c *Conn) exchange(ctx context.Context, method, path string, version int64, in, out any) error {
	resp, err := c.send(ctx, method, path, version, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return &ForeignError{Where: c.where, Status: resp.StatusCode, Err: err}
	}
	return nil
}

// send sends in as JSON, if there is any. An answer that refuses is a *Problem; the body of
// any other is to be closed.
func (c *Conn) send(ctx context.Context, method, path string, version int64, in any) (*http.Response, error) {
	if c.err != nil {
		return nil, c.err
	}
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if version != 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10)))
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+string(c.token))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // none is no problem document
	if resp.StatusCode < http.StatusMultipleChoices && media != "text/html" {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return nil, c.refusal(resp, media)
}

// refusal is the error of an answer that is no good one.
func (c *Conn) refusal(resp *http.Response, media string) error {
	if media != "application/problem+json" {
		return &ForeignError{Where: c.where, Status: resp.StatusCode, Location: resp.Header.Get("Location")}
	}
	p := &Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode), sent: c.token != ""}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	_ = json.Unmarshal(data, p) // an answer that is no problem document still has its status
	return p
}

// segment is a name or an id in a path.
func segment(id string) string {
	id = url.PathEscape(id)
	if strings.Trim(id, ".") == "" { // a dot segment, which both ends of HTTP would resolve
		id = strings.ReplaceAll(id, ".", "%2E")
	}
	return id
}

func clientURL(issuer, id string) string {
	return "/issuers/" + segment(issuer) + "/clients/" + segment(id)
}

// CreateClient creates a client.
func (c *Conn) CreateClient(ctx context.Context, n NewClient) (out CreatedClient, err error) {
	err = c.call(ctx, http.MethodPost, "/clients", 0, n, &out)
	return out, err
}

// ImportClient imports a client of another system.
func (c *Conn) ImportClient(ctx context.Context, n ImportedClient) (out Client, err error) {
	err = c.call(ctx, http.MethodPost, "/clients/import", 0, n, &out)
	return out, err
}

// ListClients lists all clients of an issuer and a tenant; empty means any.
func (c *Conn) ListClients(ctx context.Context, issuer, tenant string) ([]Client, error) {
	q := url.Values{}
	if issuer != "" {
		q.Set("issuer", issuer)
	}
	if tenant != "" {
		q.Set("tenant", tenant)
	}
	return listAll[Client](ctx, c, "/clients", q)
}

// GetClient shows a client.
func (c *Conn) GetClient(ctx context.Context, issuer, id string) (out Client, err error) {
	err = c.call(ctx, http.MethodGet, clientURL(issuer, id), 0, nil, &out)
	return out, err
}

// UpdateClient changes what the patch names. With a version other than 0 only where it is
// still the current one.
func (c *Conn) UpdateClient(ctx context.Context, issuer, id string, version int64, p Patch) (out Client, err error) {
	err = c.call(ctx, http.MethodPatch, clientURL(issuer, id), version, p, &out)
	return out, err
}

// DisableClient ends a client's tokens and gives it no more.
func (c *Conn) DisableClient(ctx context.Context, issuer, id string) (out Client, err error) {
	err = c.call(ctx, http.MethodPost, clientURL(issuer, id)+"/disable", 0, nil, &out)
	return out, err
}

// EnableClient undoes DisableClient; the old tokens stay dead.
func (c *Conn) EnableClient(ctx context.Context, issuer, id string) (out Client, err error) {
	err = c.call(ctx, http.MethodPost, clientURL(issuer, id)+"/enable", 0, nil, &out)
	return out, err
}

// DeleteClient deletes a client.
func (c *Conn) DeleteClient(ctx context.Context, issuer, id string) error {
	return c.call(ctx, http.MethodDelete, clientURL(issuer, id), 0, nil, nil)
}

// ListKeys lists the signing keys of an issuer.
func (c *Conn) ListKeys(ctx context.Context, issuer string) ([]Key, error) {
	return listAll[Key](ctx, c, "/issuers/"+segment(issuer)+"/keys", url.Values{})
}

// RotateKey replaces the signing key of an issuer.
func (c *Conn) RotateKey(ctx context.Context, issuer string, r Rotation) (out Key, err error) {
	err = c.call(ctx, http.MethodPost, "/issuers/"+segment(issuer)+"/keys/rotate", 0, r, &out)
	return out, err
}

// ImportKey takes over a private JWK.
func (c *Conn) ImportKey(ctx context.Context, issuer string, k ImportedKey) (out Key, err error) {
	err = c.call(ctx, http.MethodPost, "/issuers/"+segment(issuer)+"/keys/import", 0, k, &out)
	return out, err
}
