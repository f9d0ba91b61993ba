package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	probeTimeout = 10 * time.Second
	maxProbeBody = 64 << 10
)

// probe is one request without credentials, and the failure that it should meet.
type probe struct {
	says    string
	method  string
	query   string
	content string
	body    string
	want    oauth.Failure
}

// probes are the requests that `dialect check` makes. Nobody's credentials are
// in them, so that nobody's limits are touched.
func probes(d *dialect.Dialect) []probe {
	content, body := "application/x-www-form-urlencoded", formBody
	if d.Wire.Encodings[0] == dialect.JSON {
		content, body = "application/json", jsonBody
	}
	grant := [2]string{"grant_type", oauth.ClientCredentials}
	whole := [][2]string{grant}
	if d.Wire.Scope.Presence == dialect.Required {
		scope := d.Wire.Scope.Fixed
		if scope == "" {
			scope = "probe"
		}
		whole = append(whole, [2]string{"scope", scope})
	}
	if d.Wire.Audience.Presence == dialect.Required {
		whole = append(whole, [2]string{d.Wire.Audience.Name, "urn:probe"})
	}
	post := func(says string, want oauth.Failure, params ...[2]string) probe {
		return probe{says: says, method: http.MethodPost, content: content, body: body(params), want: want}
	}
	inQuery := post("POST with the grant in the query string", oauth.FailureQueryString, whole...)
	inQuery.query = "grant_type=" + oauth.ClientCredentials
	plain := post("POST with the content type text/plain", oauth.FailureContentType, whole...)
	plain.content = "text/plain"
	return []probe{
		{says: "GET", method: http.MethodGet, want: oauth.FailureMethod},
		inQuery,
		plain,
		post("POST with grant_type twice", oauth.FailureDuplicateParameter, grant, grant),
		post("POST without grant_type", oauth.FailureGrantTypeMissing, whole[1:]...),
		post("POST with grant_type=password", oauth.FailureGrantTypeUnsupported, append([][2]string{{"grant_type", "password"}}, whole[1:]...)...),
		post("POST without credentials", oauth.FailureCredentialsMissing, whole...),
	}
}

func formBody(params [][2]string) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1])
	}
	return strings.Join(parts, "&")
}

func jsonBody(params [][2]string) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = fmt.Sprintf("%q:%q", p[0], p[1])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// checked is a request and what its answer has that the dialect does not say.
type checked struct {
	Request string   `json:"request"`
	Differs []string `json:"differs"`
}

// checkEndpoint lists the requests, sends them, and reports each.
func checkEndpoint(ctx context.Context, s *streams, d *dialect.Dialect, c dialectCheckCommand) error {
	target, err := url.Parse(c.URL)
	if err != nil || target.Host == "" || target.RawQuery != "" {
		return misuse{fmt.Errorf("%q is no URL of a token endpoint: write https://host/path without a query", c.URL)}
	}
	list := probes(d)
	s.say("these requests go to %s, none with wrong credentials:", c.URL)
	for _, p := range list {
		s.words("  %s", p.says)
	}
	if c.ClientID != "" {
		s.words("  %s", tokenRequest(c.ClientID))
	}
	if c.DryRun {
		return nil
	}
	done, err := c.send(ctx, s, d, list)
	if c.JSON {
		err = errors.Join(err, s.json(done))
	}
	if err != nil {
		return err
	}
	wrong := 0
	for _, one := range done {
		if len(one.Differs) > 0 {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("not what dialect %s says: %d of %s", d.Name, wrong, plural(len(done), "answer"))
	}
	return nil
}

func tokenRequest(client string) string { return "a token request as client " + client }

// send sends the requests one after the other, and reports each as it is answered.
func (c dialectCheckCommand) send(ctx context.Context, s *streams, d *dialect.Dialect, list []probe) ([]checked, error) {
	client := &http.Client{Timeout: probeTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	done := []checked{}
	report := func(says string, problems []string) {
		done = append(done, checked{says, append([]string{}, problems...)})
		switch {
		case c.JSON:
		case len(problems) == 0:
			s.data("ok      %s", says)
		default:
			s.data("differs %s: %s", says, strings.Join(problems, "; "))
		}
	}
	for _, p := range list {
		problems, err := p.send(ctx, client, d, c.URL)
		if err != nil {
			return done, fmt.Errorf("%s: %w", p.says, err)
		}
		report(p.says, problems)
	}
	if c.ClientID != "" {
		problems, err := checkToken(ctx, s, client, d, c)
		if err != nil {
			return done, err
		}
		report(tokenRequest(c.ClientID), problems)
	}
	return done, nil
}

// data prints a line of data.
func (s *streams) data(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...) // a closed pipe wants no more
}

// send makes the request and lists how the answer differs from the dialect's.
func (p probe) send(ctx context.Context, client *http.Client, d *dialect.Dialect, target string) ([]string, error) {
	if p.query != "" {
		target += "?" + p.query
	}
	req, err := http.NewRequestWithContext(ctx, p.method, target, strings.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	if p.content != "" {
		req.Header.Set("Content-Type", p.content)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProbeBody))
	if err != nil {
		return nil, err
	}
	want := d.Answer(p.want)
	problems := commonProblems(resp)
	if resp.StatusCode != want.Status {
		problems = append(problems, fmt.Sprintf("HTTP %d instead of %d", resp.StatusCode, want.Status))
	}
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return append(problems, "the body is no JSON object"), nil //nolint:nilerr // it is what was asked: a difference
	}
	if answer.Error != want.Code {
		problems = append(problems, fmt.Sprintf("error %q instead of %q", answer.Error, want.Code))
	}
	return problems, nil
}

// commonProblems are those any answer of a token endpoint can have.
func commonProblems(resp *http.Response) []string {
	var problems []string
	if !strings.Contains(strings.ToLower(resp.Header.Get("Cache-Control")), "no-store") {
		problems = append(problems, "no Cache-Control: no-store (RFC 6749 §5.1)")
	}
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		problems = append(problems, "a CORS header: browsers are let in")
	}
	return problems
}

// checkToken gets a token with the client's own credentials and compares the answer.
func checkToken(ctx context.Context, s *streams, client *http.Client, d *dialect.Dialect, c dialectCheckCommand) ([]string, error) {
	secret, err := readSecret(s)
	if err != nil {
		return nil, err
	}
	scope, err := oauth.ParseScope(c.Scope)
	if err != nil {
		return nil, misuse{fmt.Errorf("--scope: %w", err)}
	}
	req, err := d.EncodeRequest(ctx, c.URL, oauth.TokenRequest{
		GrantType: oauth.ClientCredentials, Credentials: oauth.Credentials{ID: c.ClientID, Secret: secret}, Scope: scope, Audience: c.Audience,
	})
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProbeBody))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if _, err := d.DecodeResponse(resp); err != nil {
		if failed, ok := errors.AsType[*oauth.Error](err); ok && failed.Code != "" {
			return nil, fmt.Errorf("the token request was refused: %w", err)
		}
		return []string{err.Error()}, nil
	}
	problems := commonProblems(resp)
	if got, want := memberNames(body), d.Wire.Response; !matches(got, want) {
		problems = append(problems, fmt.Sprintf("members %s instead of %s", strings.Join(got, " "), strings.Join(names(want), " ")))
	}
	return problems, nil
}

func names(fields []dialect.ResponseField) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name
	}
	return list
}

// matches reports whether the members are those of the dialect in its order; one that
// is there only when changed may be missing.
func matches(got []string, want []dialect.ResponseField) bool {
	for _, f := range want {
		switch {
		case len(got) > 0 && got[0] == f.Name:
			got = got[1:]
		case f.When != dialect.Changed:
			return false
		}
	}
	return len(got) == 0
}

// memberNames lists the names of a JSON object's members in their order.
func memberNames(body []byte) []string {
	var list []string
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return list
		}
		list = append(list, fmt.Sprint(name))
		var skip json.RawMessage
		if dec.Decode(&skip) != nil {
			return list
		}
	}
	return list
}
