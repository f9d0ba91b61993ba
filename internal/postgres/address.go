package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What is wrong with the file of an address.
var (
	ErrPermissions = errors.New("is readable by others than its owner; chmod 600 it")
	ErrNotURL      = errors.New("does not hold the one line postgres://user:password@host:port/database")
)

// maxFile is how large the file of an address may be, in bytes.
const maxFile = 4 << 10

// connectTimeout bounds an attempt to connect, where the URL says nothing else.
const connectTimeout = 5 * time.Second

// Address is where a database is and who asks. It holds a password and prints
// none.
type Address struct{ cfg *pgx.ConnConfig }

// ReadAddress reads the file that holds the URL of a database: one line, and
// readable by its owner only. No error holds what stands in it.
func ReadAddress(file string) (Address, error) {
	f, err := os.Open(file) //nolint:gosec // the administrator names it
	if err != nil {
		return Address{}, fmt.Errorf("read the address of PostgreSQL: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return Address{}, fmt.Errorf("read the address of PostgreSQL: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Address{}, fmt.Errorf("%s %w (mode %04o)", file, ErrPermissions, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Address{}, fmt.Errorf("read the address of PostgreSQL: %w", err)
	}
	a, err := ParseAddress(string(bytes.TrimSpace(data)))
	if err != nil {
		return Address{}, fmt.Errorf("%s %w", file, err)
	}
	return a, nil
}

// ParseAddress reads a URL, postgres: or postgresql:. Beyond this machine a
// connection is encrypted, unless the URL has an sslmode that says otherwise.
// The error is ErrNotURL.
func ParseAddress(text string) (Address, error) {
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") || strings.ContainsAny(text, " \t\r\n") {
		return Address{}, ErrNotURL
	}
	cfg, err := pgx.ParseConfig(text)
	if err == nil && !strings.Contains(text, "sslmode=") && beyond(cfg) {
		cfg, err = encrypted(text)
	}
	if err != nil {
		return Address{}, ErrNotURL // pgx's own error may show parts of it
	}
	if cfg.ConnectTimeout <= 0 || cfg.ConnectTimeout > connectTimeout {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.ValidateConnect == nil { // never a standby, which lags behind
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	return Address{cfg}, nil
}

// beyond reports whether any host of the address is another machine.
func beyond(cfg *pgx.ConnConfig) bool {
	hosts := []string{cfg.Host}
	for _, f := range cfg.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	return slices.ContainsFunc(hosts, func(host string) bool {
		ip := net.ParseIP(host)
		return host != "localhost" && !strings.HasPrefix(host, "/") && !(ip != nil && ip.IsLoopback())
	})
}

func encrypted(text string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Set("sslmode", "require")
	u.RawQuery = q.Encode()
	return pgx.ParseConfig(u.String())
}

// String is the address without a password.
func (a Address) String() string {
	if a.cfg == nil {
		return ""
	}
	return fmt.Sprintf("database %q at %s:%d as user %q", a.cfg.Database, a.cfg.Host, a.cfg.Port, a.cfg.User)
}

// GoString is String.
func (a Address) GoString() string { return a.String() }

// with is the configuration of a connection with more settings.
func (a Address) with(settings map[string]string) *pgx.ConnConfig {
	cfg := a.cfg.Copy()
	for k, v := range settings {
		cfg.RuntimeParams[k] = v
	}
	return cfg
}

// explain says what a failure to connect means.
func (a Address) explain(err error) error {
	var refused *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &refused) && (refused.Code == "28P01" || refused.Code == "28000"):
		return fmt.Errorf("PostgreSQL refuses %s: wrong user or password, or pg_hba.conf: %w", a, refused)
	case errors.As(err, &refused) && refused.Code == "3D000":
		return fmt.Errorf("PostgreSQL has no %s: %w", a, refused)
	case errors.As(err, &refused):
		return fmt.Errorf("PostgreSQL, %s: %w", a, err)
	case errors.As(err, &connect):
		reason, _, _ := strings.Cut(connect.Unwrap().Error(), "\n") // one line for each host and attempt
		return fmt.Errorf("cannot reach PostgreSQL, %s: %s", a, reason)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("cannot reach PostgreSQL, %s: %w", a, err)
	}
	return err
}
