package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/postern-dev/postern/bench/fixture"
)

// call is the script of calls: half of them GET, half of them POST with a body; or all of them
// POST, where there are questions to ask.
type call struct {
	options
	target target
	calls  *fixture.Calls
	used   *atomic.Int64 // how many of the fresh calls are, by all scripts together
	pick   picker
	body   []byte // of a POST that asks no question
	sent   []byte // the body of one that does
	buffer []byte // the request
	expect []byte // the answer's body
}

// bodySize is that of a POST, in bytes.
const bodySize = 1024

// calling makes the scripts of all connections.
func calling(o options, calls *fixture.Calls) ([]script, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	used := &atomic.Int64{}
	used.Store(int64(o.FreshFrom))
	body := postBody()
	return o.scripts(len(calls.Known), func(pick picker) script {
		return &call{options: o, target: t, calls: calls, used: used, pick: pick, body: body}
	})
}

// postBody is a JSON object of bodySize bytes.
func postBody() []byte {
	const head, foot = `{"kind":"referral","note":"`, `"}`
	return []byte(head + string(bytes.Repeat([]byte("n"), bodySize-len(head)-len(foot))) + foot)
}

var errUsedUp = errors.New("every token that was kept back has been sent: prepare more of them")

// fresh says which requests carry a token that was never sent: one in
// FreshEvery, GET and POST in turn.
func (c *call) fresh(ticket int64) bool {
	every := int64(c.FreshEvery)
	return every > 0 && ticket%every == ticket/every%2
}

func (c *call) message(ticket int64) ([]byte, error) {
	next := fixture.Call{}
	if c.fresh(ticket) {
		i := c.used.Add(1) - 1
		if i >= int64(len(c.calls.Fresh)) {
			return nil, errUsedUp
		}
		next = c.calls.Fresh[i]
	} else {
		next = c.calls.Known[c.pick(ticket)]
	}
	method, body := http.MethodGet, []byte(nil)
	switch {
	case len(c.calls.Questions) > 0:
		q := &c.calls.Questions[next.Question]
		method, body, c.expect = http.MethodPost, append(c.sent[:0], q.Body...), append(c.expect[:0], q.Answer...)
		c.sent = body
	case ticket%2 == 1:
		method, body = http.MethodPost, c.body
		fallthrough
	default:
		c.expect = fixture.AppendAnswer(c.expect[:0], method, next.Path, len(body))
	}
	c.buffer = appendCall(c.buffer[:0], c.target.host, method, next, body)
	return c.buffer, nil
}

// appendCall writes a call with its token (RFC 6750 §2.1).
func appendCall(dst []byte, host, method string, c fixture.Call, body []byte) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, c.Path...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	dst = append(dst, "\r\nUser-Agent: load\r\nAccept: application/json\r\nAuthorization: Bearer "...)
	dst = append(dst, c.Token...)
	if method == http.MethodPost {
		dst = append(dst, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(body)), 10)
	}
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

// check wants the answer of the API to this very request.
func (c *call) check(a answer) error {
	if a.status != http.StatusOK || !bytes.Equal(a.body, c.expect) {
		return fmt.Errorf("a call was answered %d %.300s, not 200 %s", a.status, a.body, c.expect)
	}
	return nil
}

func (c *call) note(r *fixture.Report) { r.Fresh = int(c.used.Load()) - c.FreshFrom }
