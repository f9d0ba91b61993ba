package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/server"
)

type serveCommand struct {
	Config string `name:"config" env:"POSTERN_CONFIG" placeholder:"FILE" help:"The configuration (docs/configuration.md); left out: the settings are all there is (${env})."`
	settingFlags
}

// Run serves until it is told to stop.
func (c serveCommand) Run(ctx context.Context, s *streams) error {
	over := c.overrides()
	if c.Config == "" && len(over) == 0 {
		return misuse{hinted{errors.New("--config is missing, and no setting is given"), "name a file as in docs/configuration.md, or give the settings by flags or in the environment; to try it out, run `postern dev`"}}
	}
	cfg, err := config.Load(c.Config, over...)
	if err != nil {
		return err
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	return serve(ctx, s, cfg, server.Serve, func(node *server.Node) error {
		go reload(ctx, node, again, func() (*config.Config, error) { return config.Load(c.Config, over...) })
		return bootstrap(ctx, s, node)
	})
}

// reload reads the configuration anew at each SIGHUP. One that is broken changes nothing
// (D-112).
func reload(ctx context.Context, node *server.Node, again <-chan os.Signal, load func() (*config.Config, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		}
		cfg, err := load()
		if err != nil {
			node.Log.Error("the configuration is not taken over, the old one holds", "error", err)
			continue
		}
		if later := node.Reload(cfg); len(later) > 0 {
			node.Log.Warn("the configuration is taken over, but some of it holds from the next start on", "fields", later)
			continue
		}
		node.Log.Warn("the configuration is taken over")
	}
}

// closeTimeout is how long what is queued may take to be written at the end.
const closeTimeout = 10 * time.Second

// gcPercent lets the heap grow to three times what lives before it is collected, twice
// being Go's own choice: what lives is small here, and processor time is what a
// token costs (docs/performance.md).
const gcPercent = 200

// serve opens a node and runs it until the context ends. started is called
// once its addresses are open, before the first request is answered.
func serve(ctx context.Context, s *streams, cfg *config.Config, stamp string, started func(*server.Node) error) (err error) {
	if os.Getenv("GOGC") == "" { // whoever says otherwise knows better
		debug.SetGCPercent(gcPercent)
	}
	node, err := server.Open(ctx, server.Options{Config: cfg, Stamp: stamp, Log: s.err, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if e := node.Close(end); e != nil {
			err = errors.Join(err, fmt.Errorf("stop: %w", e))
		}
	}()
	log.SetFlags(0)
	log.SetOutput(node.Stray())
	listening, err := node.Listen()
	if err != nil {
		return taken(err)
	}
	for _, a := range listening.Addresses() {
		node.Log.Info("listening", "address", a.String())
	}
	if err := started(node); err != nil {
		return errors.Join(err, listening.Close())
	}
	return listening.Serve(ctx)
}

// bootstrap tells where the link for the first administrator is, if there is none yet. The link
// itself goes to a terminal only, not into a log (D-99).
func bootstrap(ctx context.Context, s *streams, node *server.Node) error {
	link, made, err := node.Bootstrap(ctx)
	if err != nil || !made {
		return err
	}
	s.say("there is no administrator yet; until there is one the admin API answers this machine only")
	s.hint("`postern admin accept NAME --data %s --link-file %s` makes the first one, until %s", node.Config.Data, link.File, link.Expires.Format("15:04"))
	if file, ok := s.err.(*os.File); ok && term.IsTerminal(int(file.Fd())) { //nolint:gosec // a file descriptor
		s.hint("or send this link to POST /api/admin/accept: %s", string(link.Token))
	}
	return nil
}

// taken says more of an address at which somebody else listens.
func taken(err error) error {
	var at *net.OpError
	if !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &at) || at.Addr == nil {
		return err
	}
	return hinted{fmt.Errorf("another program listens at %s already", at.Addr), "stop that one, or choose another address (postern dev --listen, or listeners in the configuration)"}
}
