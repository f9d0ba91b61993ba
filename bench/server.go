package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// scope is what every client of the benchmark may ask for, and asks for.
const scope = "read"

// server is a side that runs and has answered a request.
type server struct {
	*child
	launch
	name    string
	started time.Duration // from exec to the first token, or call
}

// serve starts what was prepared and waits for the first answer.
func (b *bench) serve(ctx context.Context, s side, l launch) (*server, error) {
	first, err := l.first()
	if err != nil {
		return nil, err
	}
	client := onceOnly()
	begin := time.Now()
	c, err := b.spawn(l.command)
	if err != nil {
		return nil, err
	}
	err = c.await(ctx, 30*time.Second, func() error { return first(ctx, client) })
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name(), err)
	}
	return &server{child: c, launch: l, name: s.name(), started: time.Since(begin)}, nil
}

// onceOnly is a client that keeps no connection.
func onceOnly() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // loopback, our own child
	}}
}

// first is the request by whose answer a start is known to be over.
func (l launch) first() (func(context.Context, *http.Client) error, error) {
	if l.calls != "" {
		calls, err := fixture.ReadCalls(l.calls)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, client *http.Client) error {
			return firstCall(ctx, client, l.origin, calls.Known[0])
		}, nil
	}
	clients, err := fixture.ReadClients(l.clients)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, client *http.Client) error {
		_, err := firstToken(ctx, client, l.tokenURL, clients[0])
		return err
	}, nil
}

// firstCall calls once.
func firstCall(ctx context.Context, client *http.Client, origin string, c fixture.Call) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+c.Path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	_, err = expect(client, r, `"path"`)
	return err
}

// firstToken asks once and returns the answer.
func firstToken(ctx context.Context, client *http.Client, tokenURL string, c fixture.Client) ([]byte, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}, "scope": {c.Scope}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return expect(client, r, `"access_token"`)
}

// expect wants 200 and an answer with the text given, and returns it.
func expect(client *http.Client, r *http.Request, text string) ([]byte, error) {
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<10))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(body), text) {
		return nil, fmt.Errorf("%s %s: %s: %.300s", r.Method, r.URL.Path, answer.Status, body)
	}
	return body, nil
}

// serveBoth prepares and starts the floor and the candidate.
func (b *bench) serveBoth(ctx context.Context, wanted setup) (floor, candidate *server, err error) {
	if floor, err = b.serveOne(ctx, b.floor, wanted); err != nil {
		return nil, nil, err
	}
	candidate, err = b.serveOne(ctx, b.candidate, wanted)
	return floor, candidate, err
}

func (b *bench) serveOne(ctx context.Context, s side, wanted setup) (*server, error) {
	l, err := b.prepare(ctx, s, wanted)
	if err != nil {
		return nil, err
	}
	return b.serve(ctx, s, l)
}
