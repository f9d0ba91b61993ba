// Package config reads `postern.yaml`: what a process needs before it reaches
// its store. Everything else (tenants, issuers, clients) lives in the store.
//
// One file, one struct. A field's comment is its documentation:
// docs/configuration.md is made from this file.
package config

import (
	"os"

	"github.com/postern-dev/postern/internal/domain"
)

// Config is the file. Paths in it are relative to the directory of the file,
// durations are seconds or a number with `s`, `m`, `h` or `d`.
type Config struct {
	// Directory of `admin.sock` and, unless `store` says otherwise, of the store.
	// It must exist; nobody but the user of the server should be able to read it.
	Data string `yaml:"data"`
	// What everything that must last is kept in. Left out: SQLite in the data
	// directory, for one machine.
	Store Store `yaml:"store"`
	// File of the master key, under which everything secret in the store is
	// sealed. Mode 0600. Without it the store is worth nothing: keep a copy
	// elsewhere than the copies of the store.
	MasterKeyFile string `yaml:"master_key_file"`
	// Where the server listens. The surface `token` must stand on one of them.
	Listeners []Listener `yaml:"listeners"`
	// Networks of proxies (as in `10.0.0.0/8`) whose `X-Forwarded-For` is
	// believed. Left out: nobody's.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// Files of dialects beside those built in.
	Dialects []string `yaml:"dialects"`
	// Issuers whose dialect is one of your files may sign with HS256.
	AllowHS256 bool `yaml:"allow_hs256"`
	// What is kept of tokens issued and refused.
	Audit Audit `yaml:"audit"`
	// How people sign in to administer.
	SignIn SignIn `yaml:"signin"`
	// Bounds of connections and requests.
	Limits Limits `yaml:"limits"`
	// How many clients are held in memory, about 1 KB each; others cost one
	// read of the store. 1000 to 10000000.
	ClientsCached int `yaml:"clients_cached"`
	// How the server logs, to standard error.
	Log Log `yaml:"log"`
	// Name of this node in the audit trail; of several nodes on one store each
	// has another, and none is called retention. Left out: the host's name.
	Node string `yaml:"node"`
	// How many nodes share the store at most: each admits this part of every
	// rate limit, so that all of them together keep to it. 1 to 1000. Left out:
	// 1; must be written where the store is PostgreSQL.
	MaxNodes int `yaml:"max_nodes"`
	// A node that cannot follow its store for this long stops issuing, and
	// refuses calls unless their API says otherwise (`serve_stale`). 2s to 10m.
	MaxStaleness domain.Seconds `yaml:"max_staleness"`
	// How long others may cache a JWKS. 10s to 15m: a new key is published 15
	// minutes before it signs.
	JWKSMaxAge domain.Seconds `yaml:"jwks_max_age"`
}

// Store says what everything that must last is kept in.
type Store struct {
	// File that holds the URL of a PostgreSQL database (14 or newer),
	// `postgres://user:password@host:port/database`, for several nodes that are
	// alike. Mode 0600. Beyond this machine the connection is encrypted; to have
	// the certificate checked too, add `?sslmode=verify-full`. Each node needs a
	// `node` of its own, 9 connections that go to the server directly or keep
	// their session, and the same master key.
	PostgresFile string `yaml:"postgres_file"`
}

// Listener is an address and what is served there.
type Listener struct {
	// `host:port`, or `:port` for every address of the machine.
	Address string `yaml:"address"`
	// What is served: `token` (token endpoint, JWKS and metadata of every
	// issuer), `gateway` (every API, behind its checks), `admin` (the admin API
	// at `/api/admin/`, which is on the socket in the data directory always, and
	// here answers this machine only until there is an administrator),
	// `metrics` (Prometheus, at `/metrics`), `health` (at `/livez` and `/readyz`).
	Surfaces []Surface `yaml:"surfaces"`
	// `admin` may stand beside `token` and `gateway`, so that whoever reaches
	// those reaches the admin API too. Better: a listener of its own.
	ShareAdmin bool `yaml:"share_admin"`
	// Certificate and key. Left out: plain HTTP, which is refused beyond
	// loopback unless `behind_tls_proxy` is set.
	TLS *TLS `yaml:"tls,omitempty"`
	// A proxy that speaks TLS stands in front, and nobody else reaches this
	// address.
	BehindTLSProxy bool `yaml:"behind_tls_proxy"`
}

// TLS names the files of a certificate. They are read again when they change.
type TLS struct {
	// PEM file of the certificate, and of those between it and the root.
	CertFile string `yaml:"cert_file"`
	// PEM file of its private key.
	KeyFile string `yaml:"key_file"`
}

// Audit says what is kept of activity. Changes are always kept.
type Audit struct {
	// When a token is answered: `group` (once its entry is queued; a kill of
	// the process may lose the last quarter of a second), `sync` (after its
	// entry is committed), `off` (nothing is kept, which is itself recorded).
	Tokens TokenAudit `yaml:"tokens"`
	// How long activity is kept: batches that are older are dropped, but for their
	// hashes, so that the rest still verifies. 1d to 3650d; left out: for ever. Changes
	// are kept for ever.
	Keep domain.Seconds `yaml:"keep"`
	// Signed statements of how far the audit trail had come, by which a tail that was cut
	// off is found (docs/audit.md).
	Checkpoints Checkpoints `yaml:"checkpoints"`
}

// Checkpoints says where checkpoints of the audit trail go. What cannot be delivered is told
// in the log, and tried again.
type Checkpoints struct {
	// File that they are appended to, one a line. Left out: `checkpoints.jws` in the data
	// directory. Keep it, or a copy, where whoever can write the store cannot.
	File string `yaml:"file"`
	// URL that each is sent to by POST, as `application/jose`. https, or http to this
	// machine.
	Webhook string `yaml:"webhook"`
	// Syslog that each is sent to (RFC 5424): `tcp://host:port`, `udp://host:port` or
	// `unix:///dev/log`. Over the network it is not encrypted; it holds no secret.
	Syslog string `yaml:"syslog"`
	// How often, where something has happened since the one before; at the end of the
	// process too. 10s to 1d.
	Every domain.Seconds `yaml:"every"`
}

// SignIn says how people sign in to administer: with a password, always; and, where `oidc`
// is there, at an OpenID provider.
type SignIn struct {
	// A session ends when it was not used for so long. 1m to 12h.
	IdleTimeout domain.Seconds `yaml:"idle_timeout"`
	// A session ends so long after the sign-in, however much it is used. 10m to 1d.
	AbsoluteTimeout domain.Seconds `yaml:"absolute_timeout"`
	// The OpenID provider. Who signs in there must be a person that Postern knows: nobody
	// is added by signing in.
	OIDC *OIDC `yaml:"oidc,omitempty"`
}

// OIDC is an OpenID provider, and what it knows Postern by.
type OIDC struct {
	// Its issuer identifier, exactly as it stands in its discovery document. https, or http
	// to this machine.
	Issuer string `yaml:"issuer"`
	// The id that Postern has there.
	ClientID string `yaml:"client_id"`
	// File of the secret that Postern has there. Mode 0600.
	ClientSecretFile string `yaml:"client_secret_file"`
	// The redirect URI that is registered there, as in
	// `https://postern.example.com/api/admin/oidc/callback`: the address of the surface
	// `admin` as browsers know it, with this path.
	RedirectURI string `yaml:"redirect_uri"`
}

// Limits bounds connections and requests. The limits on guessing secrets are
// not among them: they are fixed.
type Limits struct {
	// Connections at once on each listener. 16 to 1000000.
	MaxConnections int `yaml:"max_connections"`
	// Bytes of a request's headers. 4096 to 65536.
	MaxHeaderBytes int `yaml:"max_header_bytes"`
	// From the first byte of a request to the end of its headers. 1s to 30s.
	HeaderTimeout domain.Seconds `yaml:"header_timeout"`
	// From the first byte of a request to the end of its body. 1s to 60s.
	ReadTimeout domain.Seconds `yaml:"read_timeout"`
	// From the end of the headers to the end of the answer. 1s to 60s.
	WriteTimeout domain.Seconds `yaml:"write_timeout"`
	// A connection without a request is closed after it. 1s to 10m.
	IdleTimeout domain.Seconds `yaml:"idle_timeout"`
	// How long requests in flight may take when the server is told to stop. 1s
	// to 5m.
	ShutdownTimeout domain.Seconds `yaml:"shutdown_timeout"`
}

// Log says how the server logs.
type Log struct {
	// `json` or `text`.
	Format LogFormat `yaml:"format"`
	// The least that is logged: `debug`, `info`, `warn` or `error`. Requests
	// are `info`.
	Level LogLevel `yaml:"level"`
}

// Default is what a file says that leaves out all it may.
func Default() *Config {
	node, err := os.Hostname()
	if err != nil || node == "" {
		node = "node"
	}
	return &Config{
		Audit:  Audit{Tokens: AuditGroup, Checkpoints: Checkpoints{Every: 300}},
		SignIn: SignIn{IdleTimeout: 30 * 60, AbsoluteTimeout: 12 * 60 * 60},
		Limits: Limits{
			MaxConnections: 10_000, MaxHeaderBytes: 16 << 10, HeaderTimeout: 5, ReadTimeout: 10, WriteTimeout: 10,
			IdleTimeout: 120, ShutdownTimeout: 10,
		},
		ClientsCached: 131_072,
		Log:           Log{Format: JSON, Level: "info"},
		Node:          node,
		MaxStaleness:  60,
		JWKSMaxAge:    300,
	}
}

// Nodes is how many nodes share the store at most.
func (c *Config) Nodes() int {
	if c.MaxNodes == 0 {
		return 1
	}
	return c.MaxNodes
}
