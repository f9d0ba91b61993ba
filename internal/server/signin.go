package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

// recordSweep is how often records that have expired are removed.
const recordSweep = time.Minute

// signIn knows administrators, as the configuration says.
func (n *Node) signIn(o Options) (*signin.SignIn, error) {
	provider, err := openIDProvider(o.Config.SignIn.OIDC)
	if err != nil {
		return nil, err
	}
	if provider != nil {
		provider.Timeout = min(signin.DefaultProviderTimeout, o.Config.Limits.WriteTimeout.Duration())
	}
	return signin.New(signin.Config{
		Store: n.Registry.Store, Records: n.db, People: n.Registry, Peppers: n.Registry.Vault.Peppers, Gate: secret.NewGate(),
		Now: n.Snapshot.Now, Local: o.Now, Idle: o.Config.SignIn.IdleTimeout.Duration(), Absolute: o.Config.SignIn.AbsoluteTimeout.Duration(),
		OIDC: provider, Directory: o.Config.Data, Tokens: newManagement(n.Snapshot).tokens, Record: n.activity.Record,
	}), nil
}

// openIDProvider is the provider of the configuration, nil where it has none.
func openIDProvider(c *config.OIDC) (*signin.OIDC, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // none is no error
	}
	info, err := os.Stat(c.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("signin.oidc.client_secret_file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("signin.oidc.client_secret_file: %s has mode %04o, and others could read it; chmod 600 it", c.ClientSecretFile, info.Mode().Perm())
	}
	text, err := os.ReadFile(c.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("signin.oidc.client_secret_file: %w", err)
	}
	return &signin.OIDC{Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: oauth.Secret(strings.TrimSpace(string(text))), RedirectURI: c.RedirectURI}, nil
}

// Bootstrap makes the link for the first administrator, where a listener carries the admin API
// and there is none yet; ok says whether it did. Until the link is used only this machine is
// answered there (D-99).
func (n *Node) Bootstrap(ctx context.Context) (link signin.Link, ok bool, err error) {
	if !slices.ContainsFunc(n.Config.Listeners, func(l config.Listener) bool { return slices.Contains(l.Surfaces, config.Admin) }) {
		return link, false, nil
	}
	link, err = n.signing.Bootstrap(ctx)
	if errors.Is(err, signin.ErrHasAdmin) {
		return link, false, nil
	}
	return link, err == nil, err
}

// sweep removes records that have expired.
func (n *Node) sweep(ctx context.Context) {
	tick := time.NewTicker(recordSweep)
	defer tick.Stop()
	for {
		if _, err := n.db.SweepRecords(ctx, n.Snapshot.Now()); err != nil && ctx.Err() == nil {
			n.Log.Warn("records that have expired could not be removed; the next minute tries again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
