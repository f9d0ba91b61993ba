package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/postern-dev/postern/bench/fixture"
)

// ref is the floor as a side.
type ref struct{ binary, label string }

func (r ref) name() string { return r.label }

// prepare writes the list of clients; the floor keeps nothing.
func (r ref) prepare(_ context.Context, dir string, s setup) (launch, error) {
	clients := make([]fixture.Client, s.clients)
	for i := range clients {
		// As long as what postern makes: a UUID, and a prefix with 256 bits and a checksum.
		clients[i] = fixture.Client{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012x", i), Secret: fmt.Sprintf("ref_%050d", i), Scope: scope,
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

// freeAddress is one on loopback that nobody listens on at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
