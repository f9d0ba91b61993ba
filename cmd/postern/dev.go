package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

//go:embed objects/*.yaml
var devObjects embed.FS

type devCommand struct {
	Data           string `name:"data" placeholder:"DIR" help:"Keep data here. Left out: a temporary directory, removed at the end."`
	Listen         string `name:"listen" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Address of the first issuer; the others take the next ports."`
	AdminListen    string `name:"admin-listen" default:"127.0.0.1:8070" placeholder:"ADDR" help:"Address of health and metrics."`
	Show           string `name:"show" placeholder:"NAME" help:"Print the commands of one issuer."`
	JSONFile       string `name:"json-file" placeholder:"FILE" help:"Write what is printed for programs to read, mode 0600."`
	InsecureExpose bool   `name:"insecure-expose" help:"Allow --listen and --admin-listen beyond this machine, with sample data and without TLS."`
}

// Run starts the sample issuers and prints what to paste.
func (c devCommand) Run(ctx context.Context, s *streams) (err error) {
	host, port, err := c.address()
	if err != nil {
		return err
	}
	if c.Data == "" {
		if c.Data, err = os.MkdirTemp("", "postern-dev-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Data)) }()
	}
	names, files, err := renderObjects(port)
	if err != nil {
		return err
	}
	if c.Show != "" && !slices.Contains(names, c.Show) {
		return misuse{fmt.Errorf("--show: there is no issuer %q: %s", c.Show, strings.Join(names, ", "))}
	}
	cfg, err := c.config(host, port, len(names))
	if err != nil {
		return err
	}
	return serve(ctx, s, cfg, server.Dev, func(node *server.Node) error {
		secrets, objects, err := populate(ctx, node, files)
		if err != nil {
			return err
		}
		shown, err := describe(names, objects, secrets)
		if err != nil {
			return err
		}
		if c.JSONFile != "" {
			if err := writeJSON(c.JSONFile, shown); err != nil {
				return err
			}
		}
		screen(s, shown, c)
		return nil
	})
}

// address checks where to listen: sample data does not leave this machine unasked.
func (c devCommand) address() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(c.Listen)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65000 {
		return "", 0, misuse{fmt.Errorf("--listen: %q is no address: write host:port, as in 127.0.0.1:8080", c.Listen)}
	}
	if err := c.local("--listen", c.Listen); err != nil {
		return "", 0, err
	}
	return host, port, c.local("--admin-listen", c.AdminListen)
}

// local refuses an address that others reach, unless that was asked for.
func (c devCommand) local(flag, address string) error {
	host, _, _ := net.SplitHostPort(address) // what cannot be split has no host, and is refused
	ip := net.ParseIP(host)
	if c.InsecureExpose || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return misuse{hinted{fmt.Errorf("%s: %s can be reached from other machines, and this is sample data without TLS", flag, address),
		"leave " + flag + " out, or add --insecure-expose if that is what you want"}}
}

// renderObjects fills the ports into the sample objects: the first issuer at port,
// the others at the next ones. names are those of the issuers in this order.
func renderObjects(port int) (names []string, files []declare.File, err error) {
	list, err := fs.Glob(devObjects, "objects/*.yaml")
	if err != nil {
		return nil, nil, err
	}
	for i, name := range list {
		text, err := template.ParseFS(devObjects, name)
		if err != nil {
			return nil, nil, err
		}
		var b bytes.Buffer
		if err := text.Execute(&b, struct{ Port int }{port + i}); err != nil {
			return nil, nil, err
		}
		_, issuer, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".yaml"), "-")
		names = append(names, issuer)
		files = append(files, declare.File{Name: filepath.Base(name), Content: b.Bytes()})
	}
	return names, files, nil
}

// prepare makes the data directory and its master key, where there are none yet, and
// leaves alone what looks like somebody else's.
func (c devCommand) prepare() (master string, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	master = filepath.Join(c.Data, "master.key")
	if _, err := os.Stat(master); !errors.Is(err, fs.ErrNotExist) {
		return master, err
	}
	there, err := os.ReadDir(c.Data)
	if err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	if len(there) > 0 {
		return "", hinted{fmt.Errorf("--data: %s holds something that `postern dev` did not make", c.Data), "name a new or an empty directory"}
	}
	_, err = seal.NewMaster(master)
	return master, err
}

// config is the configuration of a dev server: a listener for each issuer.
func (c devCommand) config(host string, port, issuers int) (*config.Config, error) {
	master, err := c.prepare()
	if err != nil {
		return nil, err
	}
	cfg := config.Default()
	cfg.Data, cfg.MasterKeyFile = c.Data, master
	cfg.Log = config.Log{Format: config.Text, Level: "info"}
	for i := range issuers {
		cfg.Listeners = append(cfg.Listeners, config.Listener{
			Address: net.JoinHostPort(host, strconv.Itoa(port+i)), Surfaces: []config.Surface{config.Token}, BehindTLSProxy: c.InsecureExpose,
		})
	}
	cfg.Listeners = append(cfg.Listeners, config.Listener{Address: c.AdminListen, Surfaces: []config.Surface{config.Health, config.Metrics}})
	return cfg, nil
}

// shownIssuer is one issuer as the screen and --json-file show it.
type shownIssuer struct {
	Name     string        `json:"name"`
	Dialect  string        `json:"dialect"`
	Issuer   string        `json:"issuer"`
	TokenURL string        `json:"token_url"`
	JWKSURL  string        `json:"jwks_url"`
	Clients  []shownClient `json:"clients"`
	APIs     []struct{}    `json:"apis"`

	title   string
	dialect *dialect.Dialect
}

// shownClient is one client with what it should send. The secret is plain on purpose:
// the file is for its reader alone.
type shownClient struct {
	Name     string `json:"name"`
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"` //nolint:gosec // shown once, as `client create` does
	Scope    string `json:"scope"`
	Audience string `json:"audience"`
	Note     string `json:"note"`
}

// describe gathers what is shown, in the order of the issuers' ports.
func describe(names []string, objects declare.Objects, secrets map[string]oauth.Secret) ([]shownIssuer, error) {
	list := make([]shownIssuer, 0, len(names))
	for _, name := range names {
		for _, i := range objects.Issuers() {
			if i.Name != name {
				continue
			}
			d, ok := dialect.Builtin().Get(i.Dialect)
			if !ok {
				return nil, fmt.Errorf("there is no dialect %q", i.Dialect)
			}
			list = append(list, shownIssuer{
				Name: i.Name, Dialect: i.Dialect, Issuer: i.URL, TokenURL: i.URL + d.Wire.Path, JWKSURL: i.URL + domain.JWKSPath,
				APIs: []struct{}{}, title: d.Title, dialect: d, Clients: describeClients(d, i.Name, objects, secrets),
			})
		}
	}
	return list, nil
}

func describeClients(d *dialect.Dialect, issuer string, objects declare.Objects, secrets map[string]oauth.Secret) []shownClient {
	var list []shownClient
	for _, c := range objects.Clients() {
		if c.Issuer != issuer {
			continue
		}
		list = append(list, shownClient{
			Name: c.Name, ID: c.ID, Secret: string(secrets[c.Key()]), Scope: scopeToSend(d, &c), Audience: c.Audiences[0], Note: c.Note,
		})
	}
	return list
}

// scopeToSend is the scope that a request of the client names: a binding where the dialect
// has them, and what was assigned to it.
func scopeToSend(d *dialect.Dialect, c *domain.Client) string {
	scope := make(oauth.Scope, 0, len(c.Scopes)+1)
	for i := range d.Server.Scope.Bindings {
		b := &d.Server.Scope.Bindings[i]
		if ids := c.ResourceScope[b.Kind].IDs; len(ids) > 0 {
			scope = append(scope, b.Token(ids[0]))
		}
	}
	return append(scope, c.Scopes...).String()
}
