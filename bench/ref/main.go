// Command ref is the floor that the token endpoint is measured against: the
// least that a net/http server can do to answer a client credentials request
// honestly. It parses the form, compares one HMAC-SHA-256 of the secret in
// constant time, signs eight claims by hand and writes the answer. It keeps
// nothing, logs nothing and knows no rule beyond that: what a server costs
// above it is the price of everything else.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

func main() {
	algorithm := flag.String("alg", "ES256", "`algorithm` of the tokens: ES256 or EdDSA")
	secure := flag.Bool("tls", false, "speak TLS with a certificate made at start")
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	clients := flag.String("clients", "", "JSON `file` of clients")
	flag.Parse()
	if err := serve(*algorithm, *secure, *listen, *clients); err != nil {
		fmt.Fprintln(os.Stderr, "ref:", err)
		os.Exit(1)
	}
}

// serve answers until the process is ended.
func serve(algorithm string, secure bool, listen, file string) error {
	clients, err := fixture.ReadClients(file)
	if err != nil {
		return err
	}
	handler, err := newFloor(algorithm, clients, time.Now)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	if secure {
		if server.TLSConfig, err = tlsConfig(time.Now()); err != nil {
			return err
		}
	}
	if err := announce(listener.Addr(), secure); err != nil {
		return err
	}
	if secure {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// announce prints where the server listens and its process id as JSON.
func announce(address net.Addr, secure bool) error {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"address": address.String(), "token_url": scheme + "://" + address.String() + "/token", "pid": os.Getpid(),
	})
}

func tlsConfig(now time.Time) (*tls.Config, error) {
	certificate, key, err := fixture.SelfSigned(now)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
