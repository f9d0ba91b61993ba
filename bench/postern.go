package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// postern is the server itself as a side. All that the harness knows of its
// commands, its configuration and its objects stands in this file.
type postern struct {
	binary string
	bench  *bench
}

func (p postern) name() string { return "postern" }

// issuerName is the one issuer there is.
const issuerName = "bench"

// tokenPath is that of the dialect rfc.
const tokenPath = "/oauth2/token"

// prepare writes a configuration, and lets a server that is then stopped again
// take in the issuer and the clients.
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
	config := filepath.Join(dir, "postern.yaml")
	l.command = []string{p.binary, "serve", "-config", config}
	if err := errors.Join(writeConfig(config, l.data, address, s, dir), writeObjects(filepath.Join(dir, "objects"), origin, s)); err != nil {
		return l, err
	}
	running, err := p.bench.spawn(l.command)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, running.stop()) }()
	socket := filepath.Join(l.data, "admin.sock")
	if err := running.await(ctx, 30*time.Second, func() error { return reachable(ctx, socket) }); err != nil {
		return l, err
	}
	if _, err := p.command(ctx, l.data, "apply", "-f", filepath.Join(dir, "objects")); err != nil {
		return l, err
	}
	clients, err := p.clients(ctx, l.data, dir, s)
	if err != nil {
		return l, err
	}
	return l, fixture.WriteClients(l.clients, clients)
}

// writeConfig writes postern.yaml, and beside it the certificate where there is
// to be TLS.
func writeConfig(file, data, address string, s setup, dir string) error {
	text := "store: {sqlite: " + data + "}\n" +
		"master_key_file: " + filepath.Join(dir, "master.key") + "\n" +
		"listeners:\n" +
		"  - listen: " + address + "\n" +
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
		text += "    tls: {certificate_file: " + certFile + ", key_file: " + keyFile + "}\n"
	}
	return os.WriteFile(file, []byte(text), 0o600)
}

// writeObjects writes the issuer for `postern apply`.
func writeObjects(dir, origin string, s setup) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	text := "kind: issuer\nname: " + issuerName + "\nurl: " + origin + "\nenvironment: stage\ndialect: rfc\n" +
		"algorithm: " + s.algorithm + "\nimported_secrets: " + strconv.FormatBool(s.imported) + "\n"
	return os.WriteFile(filepath.Join(dir, "issuer.yaml"), []byte(text), 0o600)
}

// clients makes the clients of the setup through the running server.
func (p postern) clients(ctx context.Context, data, dir string, s setup) ([]fixture.Client, error) {
	clients := make([]fixture.Client, s.clients)
	for i := range clients {
		name := "client-" + strconv.Itoa(i)
		args := []string{"client", "create", "--json"}
		if s.imported {
			secret := filepath.Join(dir, "secret")
			if err := os.WriteFile(secret, fmt.Appendf(nil, "imported-secret-%030d", i), 0o600); err != nil {
				return nil, err
			}
			args = []string{"client", "import", "--json", "--id", name, "--secret-file", secret}
		}
		args = append(args, "--issuer", issuerName, "--name", name, "--platform-wide", "--audience", "https://api.example", "--scope", scope)
		out, err := p.command(ctx, data, args...)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(out, &clients[i]); err != nil {
			return nil, fmt.Errorf("client %s: %w", name, err)
		}
		clients[i].Scope = scope
		if s.imported {
			clients[i].Secret = fmt.Sprintf("imported-secret-%030d", i)
		}
	}
	return clients, nil
}

// command runs one that speaks to the server over the admin socket, and returns
// what it printed.
func (p postern) command(ctx context.Context, data string, args ...string) ([]byte, error) {
	var complaint opening
	cmd := exec.CommandContext(ctx, p.binary, append(args, "--data", data)...) //nolint:gosec // our own binary
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("postern %v: %w: %s", args[:2], err, complaint)
	}
	return out, nil
}

// reachable reports whether somebody listens on the socket.
func reachable(ctx context.Context, socket string) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return connection.Close()
}
