package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
)

type devCommand struct {
	Data           string `name:"data" placeholder:"DIR" help:"Keep data here. Left out: a temporary directory, removed at the end."`
	Listen         string `name:"listen" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Address of the first issuer; the others take the next ports."`
	AdminListen    string `name:"admin-listen" default:"127.0.0.1:8070" placeholder:"ADDR" help:"Address of the admin API, health and metrics."`
	Show           string `name:"show" placeholder:"NAME" help:"Print the commands of one issuer."`
	JSONFile       string `name:"json-file" placeholder:"FILE" help:"Write what is printed for programs to read, mode 0600."`
	InsecureExpose bool   `name:"insecure-expose" help:"Allow --listen and --admin-listen beyond this machine, with sample data and without TLS."`
}

// Run starts the sample issuers and the APIs behind them, and prints what to paste.
func (c devCommand) Run(ctx context.Context, s *streams) (err error) {
	if !signal.Ignored(syscall.SIGHUP) { // the terminal is closed, and whoever started us does not want that ignored (nohup)
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
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
	upstreams, stop, err := startSamples()
	if err != nil {
		return err
	}
	defer stop()
	names, files, err := renderObjects(port, upstreams)
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
	w := world{names: names, port: port, data: c.Data}
	return serve(ctx, s, cfg, server.Dev, func(node *server.Node) error { return c.present(ctx, s, node, files, w) })
}

// present puts the samples into a node that has begun, and shows them.
func (c devCommand) present(ctx context.Context, s *streams, node *server.Node, files []declare.File, w world) (err error) {
	if w.secrets, w.objects, err = populate(ctx, node, files); err != nil {
		return err
	}
	if w.keys, err = makeKeys(ctx, node.Registry); err != nil {
		return err
	}
	shown, err := describe(w)
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
			Address: net.JoinHostPort(host, strconv.Itoa(port+i)), Surfaces: []config.Surface{config.Token, config.Gateway}, BehindTLSProxy: c.InsecureExpose,
		})
	}
	cfg.Listeners = append(cfg.Listeners, config.Listener{Address: c.AdminListen, Surfaces: []config.Surface{config.Admin, config.Health, config.Metrics}})
	return cfg, nil
}
