package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	node "github.com/postern-dev/postern/internal/server"
)

// postern is the server itself as a side. All that the harness knows of it stands
// in this file, in crowd.go and in studies.go, and of several nodes in nodes.go.
type postern struct {
	binary string
}

func (p postern) name() string { return "postern" }

// issuerName is the one issuer there is.
const issuerName = "bench"

// tokenPath is that of the dialect rfc.
const tokenPath = "/oauth2/token"

// place is where one node stands.
type place struct {
	dir, address string
	further      []string // addresses of the other nodes
	store        string   // lines of the configuration about the store, the master key and the name; empty: SQLite, and a key of its own
}

func (p place) file() string { return filepath.Join(p.dir, "postern.yaml") }
func (p place) data() string { return filepath.Join(p.dir, "data") }

func (p place) origin(s setup) string {
	if s.secure {
		return "https://" + p.address
	}
	return "http://" + p.address
}

// prepare writes a configuration and a data directory with the issuer and the
// clients: by the server's own parts, but in this process and for the clients past the
// registry, as a hundred thousand commands would take the best part of an hour.
func (p postern) prepare(ctx context.Context, dir string, s setup) (launch, error) {
	address, err := freeAddress()
	if err != nil {
		return launch{}, err
	}
	at := place{dir: dir, address: address}
	l := p.launch(at, s)
	if err := writeConfig(at, s); err != nil {
		return l, err
	}
	return l, fill(ctx, at, s, l)
}

// launch says how the node is started.
func (p postern) launch(at place, s setup) launch {
	l := launch{
		origin: at.origin(s), tokenURL: at.origin(s) + tokenPath, clients: filepath.Join(at.dir, "clients.json"), data: at.data(),
		command: []string{p.binary, "serve", "-config", at.file()},
	}
	if s.calls != nil {
		l.calls = filepath.Join(at.dir, "calls.json")
	}
	return l
}

// fill writes everything that the node knows into its store.
func fill(ctx context.Context, at place, s setup, l launch) (err error) {
	cfg, err := config.Load(at.file())
	if err != nil {
		return err
	}
	opened, err := node.Open(ctx, node.Options{Config: cfg, Stamp: node.Serve, Log: io.Discard, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close(ctx)) }()
	_, _, err = opened.Registry.PutIssuer(ctx, domain.System, domain.Issuer{
		Name: issuerName, URL: at.origin(s), Hosts: at.further, Environment: "stage", Dialect: "rfc", Algorithm: s.algorithm, ImportedSecrets: s.imported,
	}, 0)
	if err != nil {
		return err
	}
	if s.calls != nil {
		if err := putStudies(ctx, opened.Registry, s.calls); err != nil {
			return err
		}
	}
	clients, err := crowd(ctx, opened.Registry, s)
	if err != nil {
		return err
	}
	if s.calls != nil {
		if err := mintCalls(ctx, opened, s, l.calls); err != nil {
			return err
		}
	}
	return fixture.WriteClients(l.clients, clients)
}

// surfaces are those that the setup needs.
func surfaces(s setup) string {
	if s.calls != nil {
		return "token, gateway"
	}
	return "token"
}

// writeConfig writes postern.yaml, and beside it the master key, and the
// certificate where there is to be TLS.
func writeConfig(at place, s setup) error {
	store := at.store
	if store == "" {
		master := filepath.Join(at.dir, "master.key")
		if _, err := seal.NewMaster(master); err != nil {
			return err
		}
		store = "master_key_file: " + master + "\n"
	}
	if err := os.Mkdir(at.data(), 0o700); err != nil {
		return err
	}
	text := "data: " + at.data() + "\n" + store +
		"listeners:\n" +
		"  - address: \"" + at.address + "\"\n" +
		"    surfaces: [" + surfaces(s) + "]\n"
	if s.secure {
		certificate, key, err := fixture.SelfSigned(time.Now())
		if err != nil {
			return err
		}
		certFile, keyFile := filepath.Join(at.dir, "cert.pem"), filepath.Join(at.dir, "key.pem")
		if err := errors.Join(os.WriteFile(certFile, certificate, 0o600), os.WriteFile(keyFile, key, 0o600)); err != nil {
			return err
		}
		text += "    tls: {cert_file: " + certFile + ", key_file: " + keyFile + "}\n"
	}
	return os.WriteFile(at.file(), []byte(text), 0o600)
}
