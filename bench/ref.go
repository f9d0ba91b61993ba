package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/postern-dev/postern/bench/fixture"
)

// ref is the floor as a side.
type ref struct {
	binary, label string
	pooled        bool // as a proxy it keeps its buffers
}

func (r ref) name() string { return r.label }

// prepare writes the list of clients, or of calls; the floor keeps nothing.
func (r ref) prepare(_ context.Context, dir string, s setup) (launch, error) {
	if s.calls != nil {
		return r.prepareCalls(dir, *s.calls)
	}
	clients := make([]fixture.Client, s.clients)
	for i := range clients {
		// As long as what postern makes: a UUID, and a prefix with 256 bits and a checksum.
		clients[i] = fixture.Client{
			ID: clientID(i), Secret: fmt.Sprintf("ref_%050d", i), Scope: scope,
		}
	}
	file := filepath.Join(dir, "clients.json")
	if err := fixture.WriteClients(file, clients); err != nil {
		return launch{}, err
	}
	address, err := freeAddress()
	if err != nil {
		return launch{}, err
	}
	l := launch{clients: file, tokenURL: "http://" + address + "/token"}
	l.command = []string{r.binary, "-alg", s.algorithm, "-listen", address, "-clients", file}
	if s.secure {
		l.tokenURL = "https://" + address + "/token"
		l.command = append(l.command, "-tls")
	}
	return l, nil
}

// prepareCalls writes calls with tokens that are none: the bare proxy looks at nothing.
func (r ref) prepareCalls(dir string, c calls) (launch, error) {
	address, err := freeAddress()
	if err != nil {
		return launch{}, err
	}
	made := func(n int) []fixture.Call {
		list := make([]fixture.Call, n)
		for i := range list {
			list[i] = callOf(fmt.Sprintf("floor.%0500d.token", i), i)
		}
		return list
	}
	l := launch{origin: "http://" + address, calls: filepath.Join(dir, "calls.json")}
	l.command = []string{r.binary, "-listen", address, "-upstream", c.upstream, "-pooled=" + strconv.FormatBool(r.pooled)}
	return l, fixture.WriteCalls(l.calls, fixture.Calls{Known: made(c.known), Fresh: made(c.fresh)})
}

// freeAddress is one on loopback that nobody listens on at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
