package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// patience is how long one exchange may take before the run is given up.
const patience = 10 * time.Second

// script is what one worker says.
type script interface {
	// message is the next request; it is good until the next call.
	message(ticket int64) ([]byte, error)
	// check ends the run on an answer to it that is not expected.
	check(a answer) error
	// note adds to the report what is known of the answers.
	note(r *fixture.Report)
}

// worker owns one connection at a time.
type worker struct {
	options
	target     target
	script     script
	connection net.Conn
	reader     *bufio.Reader

	latencies []time.Duration
	statuses  map[int]int
	opened    int
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
	message, err := w.script.message(ticket)
	if err != nil {
		return err
	}
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
	err = w.script.check(answer)
	if w.NewConnection || answer.close {
		w.close()
		return err
	}
	if _, discard := w.reader.Discard(len(answer.body)); err == nil {
		err = discard
	}
	return err
}
