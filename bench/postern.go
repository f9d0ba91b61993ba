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
// in this file and in crowd.go.
type postern struct {
	binary string
}

func (p postern) name() string { return "postern" }

// issuerName is the one issuer there is.
const issuerName = "bench"

// tokenPath is that of the dialect rfc.
const tokenPath = "/oauth2/token"

// prepare writes a configuration and a data directory with the issuer and the
// clients: by the server's own parts, but in this process and for the clients past the
// registry, as a hundred thousand commands would take the best part of an hour.
func (p postern) prepare(ctx context.Context, dir string, s setup) (l launch, err error) {
	address, err := freeAddress()
	if err != nil {
		return l, err
	}
	origin := "http://" + address
	if s.secure {
		origin = "https://" + address
	}
	l = launch{tokenURL: origin + tokenPath, clients: filepath.Join(dir, "clients.json"), data: filepath.Join(dir, "data")}
	file := filepath.Join(dir, "postern.yaml")
	l.command = []string{p.binary, "serve", "-config", file}
	if err := writeConfig(file, l.data, address, s, dir); err != nil {
		return l, err
	}
	cfg, err := config.Load(file)
	if err != nil {
		return l, err
	}
	opened, err := node.Open(ctx, node.Options{Config: cfg, Stamp: node.Serve, Log: io.Discard, Now: time.Now})
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, opened.Close(ctx)) }()
	_, _, err = opened.Registry.PutIssuer(ctx, domain.System, domain.Issuer{
		Name: issuerName, URL: origin, Environment: "stage", Dialect: "rfc", Algorithm: s.algorithm, ImportedSecrets: s.imported,
	}, 0)
	if err != nil {
		return l, err
	}
	clients, err := crowd(ctx, opened.Registry, s)
	if err != nil {
		return l, err
	}
	return l, fixture.WriteClients(l.clients, clients)
}

// writeConfig writes postern.yaml, and beside it the master key, and the
// certificate where there is to be TLS.
func writeConfig(file, data, address string, s setup, dir string) error {
	master := filepath.Join(dir, "master.key")
	if _, err := seal.NewMaster(master); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	text := "data: " + data + "\n" +
		"master_key_file: " + master + "\n" +
		"listeners:\n" +
		"  - address: \"" + address + "\"\n" +
		"    surfaces: [token]\n"
	if s.secure {
		certificate, key, err := fixture.SelfSigned(time.Now())
		if err != nil {
			return err
		}
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		if err := errors.Join(os.WriteFile(certFile, certificate, 0o600), os.WriteFile(keyFile, key, 0o600)); err != nil {
			return err
		}
		text += "    tls: {cert_file: " + certFile + ", key_file: " + keyFile + "}\n"
	}
	return os.WriteFile(file, []byte(text), 0o600)
}
