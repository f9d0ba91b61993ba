package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// callersEach is how many connections call each node.
const callersEach = 4

// callers call one node. Each has a connection of its own and calls again as soon as it
// is answered.
type callers struct {
	origin  string
	what    fixture.Call
	refused int // the status of a refusal; anything but it and 200 ends the run

	mu   sync.Mutex
	ever [callersEach]bool // who of them was admitted
	last time.Time         // when the call was begun that was the last to be admitted
	err  error
}

// callOn makes calls until the context ends.
func (c *callers) callOn(ctx context.Context, number int) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for {
		begun := time.Now()
		admitted, err := c.call(ctx, client)
		if ctx.Err() != nil {
			return
		}
		c.note(number, begun, admitted, err)
		if err != nil {
			return
		}
	}
}

// note keeps what came of a call.
func (c *callers) note(number int, begun time.Time, admitted bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if admitted {
		c.ever[number] = true
		if begun.After(c.last) { // an earlier one may be answered later
			c.last = begun
		}
	}
	if err != nil {
		c.err = err
	}
}

func (c *callers) call(ctx context.Context, client *http.Client) (admitted bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.origin+c.what.Path, nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Authorization", "Bearer "+c.what.Token)
	answer, err := client.Do(r)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<10))
	if err == nil && answer.StatusCode != http.StatusOK && answer.StatusCode != c.refused {
		err = fmt.Errorf("a call was answered %s: %.300s; 200 or %d was expected", answer.Status, body, c.refused)
	}
	return answer.StatusCode == http.StatusOK, err
}

// seen is whether each of the callers was admitted once, and the begin of the last
// call that was.
func (c *callers) seen() (all bool, last time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ever == [callersEach]bool{true, true, true, true}, c.last, c.err
}
