package main

import (
	"net/url"
	"strconv"

	"github.com/postern-dev/postern/bench/fixture"
)

// requests are all requests of a run as bytes, one for each client, in one
// piece of memory.
type requests struct {
	clients []fixture.Client
	bytes   []byte
	ends    []int
}

func prepare(t target, clients []fixture.Client) requests {
	r := requests{clients: clients, ends: make([]int, len(clients))}
	for i, c := range clients {
		r.bytes = appendRequest(r.bytes, t, c)
		r.ends[i] = len(r.bytes)
	}
	return r
}

// at is the request of the client with this index.
func (r *requests) at(i int) []byte {
	start := 0
	if i > 0 {
		start = r.ends[i-1]
	}
	return r.bytes[start:r.ends[i]]
}

// appendRequest writes the token request of RFC 6749 §4.4.2 with the credentials
// in the body.
func appendRequest(dst []byte, t target, c fixture.Client) []byte {
	body := "grant_type=client_credentials&client_id=" + url.QueryEscape(c.ID) + "&client_secret=" + url.QueryEscape(c.Secret)
	if c.Scope != "" {
		body += "&scope=" + url.QueryEscape(c.Scope)
	}
	dst = append(dst, "POST "+t.path+" HTTP/1.1\r\nHost: "+t.host+"\r\nUser-Agent: load\r\nAccept: application/json\r\n"...)
	dst = append(dst, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}
