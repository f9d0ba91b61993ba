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

// server is a side that runs and has answered a token request.
type server struct {
	*child
	launch
	name    string
	started time.Duration // from exec to the first token
}

// serve starts what was prepared and waits for the first token.
func (b *bench) serve(ctx context.Context, s side, l launch) (*server, error) {
	clients, err := fixture.ReadClients(l.clients)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // loopback, our own child
	}}
	begin := time.Now()
	c, err := b.spawn(l.command)
	if err != nil {
		return nil, err
	}
	err = c.await(ctx, 30*time.Second, func() error { return firstToken(ctx, client, l.tokenURL, clients[0]) })
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name(), err)
	}
	return &server{child: c, launch: l, name: s.name(), started: time.Since(begin)}, nil
}

// firstToken asks once.
func firstToken(ctx context.Context, client *http.Client, tokenURL string, c fixture.Client) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}, "scope": {c.Scope}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<10))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(body), `"access_token"`) {
		return fmt.Errorf("token request: %s: %.300s", answer.Status, body)
	}
	return nil
}

// serveBoth prepares and starts the floor and the candidate.
func (b *bench) serveBoth(ctx context.Context, wanted setup) (floor, candidate *server, err error) {
	for _, s := range []struct {
		side side
		to   **server
	}{{b.floor, &floor}, {b.candidate, &candidate}} {
		l, err := b.prepare(ctx, s.side, wanted)
		if err != nil {
			return nil, nil, err
		}
		if *s.to, err = b.serve(ctx, s.side, l); err != nil {
			return nil, nil, err
		}
	}
	return floor, candidate, nil
}
