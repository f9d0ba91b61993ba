// Command ref is the floor that Postern is measured against. As a token endpoint it is the
// least that a net/http server can do to answer a client credentials request
// honestly. It parses the form, compares one HMAC-SHA-256 of the secret in
// constant time, signs eight claims by hand and writes the answer. It keeps
// nothing, logs nothing and knows no rule beyond that: what a server costs
// above it is the price of everything else. With an upstream it is a bare
// httputil.ReverseProxy instead.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

func main() {
	algorithm := flag.String("alg", "ES256", "`algorithm` of the tokens: ES256 or EdDSA")
	secure := flag.Bool("tls", false, "speak TLS with a certificate made at start")
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	clients := flag.String("clients", "", "JSON `file` of clients")
	upstream := flag.String("upstream", "", "`URL` of an API: be a proxy before it, and no token endpoint")
	pooled := flag.Bool("pooled", false, "as a proxy, keep the buffers of answers")
	flag.Parse()
	handler, err := handler(*upstream, *pooled, *algorithm, *clients)
	if err == nil {
		err = serve(handler, *secure, *listen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ref:", err)
		os.Exit(1)
	}
}

// handler is the proxy where there is an upstream, else the token endpoint.
func handler(upstream string, pooled bool, algorithm, clients string) (http.Handler, error) {
	if upstream != "" {
		u, err := url.Parse(upstream)
		if err != nil {
			return nil, err
		}
		return newProxy(u, pooled), nil
	}
	known, err := fixture.ReadClients(clients)
	if err != nil {
		return nil, err
	}
	return newFloor(algorithm, known, time.Now)
}

// serve answers until the process is ended.
func serve(handler http.Handler, secure bool, listen string) error {
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
