package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// patience is how long one exchange may take before the run is given up.
const patience = 10 * time.Second

// worker owns one connection at a time.
type worker struct {
	options
	target     target
	requests   requests
	pick       picker
	connection net.Conn
	reader     *bufio.Reader
	buffer     []byte // the request of a guess

	latencies  []time.Duration
	statuses   map[int]int
	opened     int
	algorithm  string
	tokenBytes int
}

// reset forgets what the warm-up saw and makes room for about its share of n requests.
func (w *worker) reset(n int) {
	w.latencies = make([]time.Duration, 0, min(4*n/w.Connections+64, n, 1<<18))
	w.opened = 0
	clear(w.statuses)
}

// open connects, with TLS where the URL says so: always a full handshake, as no
// session is kept.
func (w *worker) open(ctx context.Context) error {
	dialer := net.Dialer{Timeout: patience}
	connection, err := dialer.DialContext(ctx, "tcp", w.target.address)
	if err != nil {
		return err
	}
	w.opened++
	if err := connection.SetDeadline(time.Now().Add(3*w.Duration + patience)); err != nil {
		return err
	}
	if w.target.secure {
		secure := tls.Client(connection, &tls.Config{
			ServerName: "localhost", MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // loopback: a server that the harness started
		})
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = connection.Close()
			return err
		}
		connection = secure
	}
	w.connection = connection
	if w.reader == nil {
		w.reader = bufio.NewReaderSize(connection, maxAnswer)
	}
	w.reader.Reset(connection)
	return nil
}

func (w *worker) close() {
	if w.connection != nil {
		_ = w.connection.Close()
		w.connection = nil
	}
}

// request makes one exchange and notes it.
func (w *worker) request(ctx context.Context, ticket int64) error {
	message := w.message(ticket)
	start := time.Now()
	if w.connection == nil {
		if err := w.open(ctx); err != nil {
			return err
		}
	}
	if _, err := w.connection.Write(message); err != nil {
		return err
	}
	answer, err := readAnswer(w.reader)
	if err != nil {
		return err
	}
	w.latencies = append(w.latencies, time.Since(start))
	w.statuses[answer.status]++
	err = w.check(answer)
	if w.NewConnection || answer.close {
		w.close()
		return err
	}
	if _, discard := w.reader.Discard(len(answer.body)); err == nil {
		err = discard
	}
	return err
}

// message is the next request: a prepared one, or a guess.
func (w *worker) message(ticket int64) []byte {
	i := w.pick(ticket)
	if !w.Guess {
		return w.requests.at(i)
	}
	client := w.requests.clients[i]
	if ticket%4 == 0 {
		client.ID = "unknown-" + client.ID
	}
	client.Secret = guess(client.Secret)
	w.buffer = appendRequest(w.buffer[:0], w.target, client)
	return w.buffer
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
func (w *worker) check(a answer) error {
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
