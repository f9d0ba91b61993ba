package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/postern-dev/postern/internal/guard"
)

// maxChecked is how long an answer may be that is looked into, in bytes.
const maxChecked = 8 << 20

var (
	errAnswerType  = errors.New("the answer is no plain application/json with status 200")
	errAnswerLarge = fmt.Errorf("the answer is longer than the %d bytes that are looked into", maxChecked)
)

// carry puts what was judged in the place of what the client sent.
func (c *call) carry(in *http.Request) {
	body := c.verdict.GraphQL.Body
	c.upload.ReadCloser, c.upload.call, c.upload.left = io.NopCloser(bytes.NewReader(body)), c, int64(len(body))
	in.Body, in.ContentLength, in.TransferEncoding = &c.upload, int64(len(body)), nil
}

// postGraphQL makes the request to the upstream one that carries a GraphQL request: whatever
// the client sent, POST and JSON. What it said about its own body goes with that.
func (c *call) postGraphQL(out *http.Request) {
	check := c.verdict.GraphQL.Check
	strip(out.Header, func(name string) bool { return ofBody(name) || check && ofAnswer(name) })
	out.Method, out.Trailer = http.MethodPost, nil
	o := one{make([]string, 0, 3)}
	o.set(out.Header, "Content-Type", "application/json")
	if check { // what is checked is what anybody reads
		o.set(out.Header, "Accept", "application/json")
		o.set(out.Header, "Accept-Encoding", "identity")
	}
}

// ofBody reports whether a header says something of the body that the client sent.
func ofBody(name string) bool {
	return beginsFolded(name, "content-") || isFolded(name, "expect") || isFolded(name, "digest") || isFolded(name, "repr-digest")
}

// ofAnswer reports whether a header chooses the form of the answer, or whether there is one.
func ofAnswer(name string) bool {
	return beginsFolded(name, "accept") || beginsFolded(name, "if-") || isFolded(name, "range") || isFolded(name, "te")
}

// checkAnswer holds the upstream's answer back until it is read whole and nothing in it is
// outside of what the client may see (D-88). Of its headers nothing is told: they too may
// speak of objects that nobody looked at.
func (c *call) checkAnswer(answer *http.Response) error {
	g := c.verdict.GraphQL
	if g == nil || !g.Check {
		return nil
	}
	if !plainJSON(answer) {
		return &guard.Refusal{Reason: guard.GraphQLBadAnswer, Err: errAnswerType}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxChecked+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxChecked:
		return &guard.Refusal{Reason: guard.GraphQLBadAnswer, Err: errAnswerLarge}
	}
	checked, err := g.CheckAnswer(body)
	if err != nil {
		return err
	}
	if f := c.fault.Load(); f != nil { // meanwhile
		return f.err
	}
	_ = answer.Body.Close() // it was read to its end
	answer.Body, answer.ContentLength, answer.Trailer = io.NopCloser(bytes.NewReader(checked)), int64(len(checked)), nil
	answer.Header = http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(checked))}, "Cache-Control": {"no-store"},
	}
	return nil
}

// plainJSON reports whether the answer is one that every reader reads alike.
func plainJSON(answer *http.Response) bool {
	h := answer.Header
	if answer.StatusCode != http.StatusOK || answer.ContentLength > maxChecked || len(h["Content-Type"]) != 1 {
		return false
	}
	if e := h["Content-Encoding"]; len(e) > 1 || len(e) == 1 && e[0] != "identity" {
		return false
	}
	media, params, err := mime.ParseMediaType(h["Content-Type"][0])
	if err != nil || media != "application/json" {
		return false
	}
	charset, said := params["charset"]
	return !said || charset == "utf-8" || charset == "UTF-8"
}
