package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/postern-dev/postern/bench/fixture"
)

// ask is the script of token requests.
type ask struct {
	options
	target     target
	requests   requests
	pick       picker
	buffer     []byte // the request of a guess
	algorithm  string
	tokenBytes int
}

// asking makes the scripts of all connections.
func asking(o options, clients []fixture.Client) ([]script, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	requests := prepare(t, clients)
	return o.scripts(len(clients), func(pick picker) script { return &ask{options: o, target: t, requests: requests, pick: pick} })
}

// message is the next request: a prepared one, or a guess.
func (w *ask) message(ticket int64) ([]byte, error) {
	i := w.pick(ticket)
	if !w.Guess {
		return w.requests.at(i), nil
	}
	client := w.requests.clients[i]
	if ticket%4 == 0 {
		client.ID = "unknown-" + client.ID
	}
	client.Secret = guess(client.Secret)
	w.buffer = appendRequest(w.buffer[:0], w.target, client)
	return w.buffer, nil
}

// guess is a wrong secret of the same length as the right one.
func guess(secret string) string {
	var random [8]byte
	for i := range random {
		random[i] = byte(rand.Uint32()) //nolint:gosec // no secret of anybody
	}
	text := hex.EncodeToString(random[:])
	return text + strings.Repeat("0", max(len(secret)-len(text), 1))
}

// check ends the run on an answer that is not expected.
func (w *ask) check(a answer) error {
	switch {
	case w.Guess && (a.status == 400 || a.status == 401 || a.status == 429 || a.status == 503):
		return nil
	case w.Guess:
		return fmt.Errorf("a guess was answered %d", a.status)
	case a.status != 200:
		return fmt.Errorf("answer %d: %.300s", a.status, a.body)
	}
	token, err := accessToken(a.body)
	if err != nil {
		return err
	}
	w.tokenBytes = len(token)
	if w.algorithm == "" {
		w.algorithm, err = algorithm(token)
	}
	return err
}

func (w *ask) note(r *fixture.Report) {
	r.Algorithm = cmp.Or(r.Algorithm, w.algorithm)
	r.TokenBytes = max(r.TokenBytes, w.tokenBytes)
}
