package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/config"
)

// load writes the file into a directory with what the cases name, and loads it.
func load(t *testing.T, text string) (*config.Config, string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"data", "folder"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"master.key", "d.yaml", "cert.pem", "key.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "postern.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	return c, dir + "/", err
}

const small = "data: data\nmaster_key_file: master.key\n"

func TestLoadSmallest(t *testing.T) {
	got, dir, err := load(t, small+"listeners: [{address: '127.0.0.1:8080', surfaces: [token]}]\n")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data, want.MasterKeyFile = dir+"data", dir+"master.key"
	want.Listeners = []config.Listener{{Address: "127.0.0.1:8080", Surfaces: []config.Surface{config.Token}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestLoadEverything(t *testing.T) {
	got, dir, err := load(t, small+`
listeners:
  - address: ":443"
    surfaces: [token]
    tls: {cert_file: cert.pem, key_file: key.pem}
  - {address: "10.0.0.5:8080", surfaces: [token, admin], behind_tls_proxy: true, share_admin: true}
  - {address: "[::1]:9090", surfaces: [admin, metrics, health]}
trusted_proxies: [10.0.0.0/8, "2001:db8::/32"]
store: {postgres_file: d.yaml}
dialects: [d.yaml]
allow_hs256: true
audit: {tokens: sync}
signin:
  idle_timeout: 10m
  oidc: {issuer: "https://id.example.com/", client_id: postern, client_secret_file: d.yaml, redirect_uri: "http://localhost:9000/api/admin/oidc/callback"}
limits: {idle_timeout: 1m}
clients_cached: 1000
log: {format: text, level: debug}
node: a
max_nodes: 3
max_staleness: 30s
jwks_max_age: 1m
`)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data, want.MasterKeyFile = dir+"data", dir+"master.key"
	want.Listeners = []config.Listener{
		{Address: ":443", Surfaces: []config.Surface{config.Token}, TLS: &config.TLS{CertFile: dir + "cert.pem", KeyFile: dir + "key.pem"}},
		{Address: "10.0.0.5:8080", Surfaces: []config.Surface{config.Token, config.Admin}, BehindTLSProxy: true, ShareAdmin: true},
		{Address: "[::1]:9090", Surfaces: []config.Surface{config.Admin, config.Metrics, config.Health}},
	}
	want.TrustedProxies = []config.Network{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}, {Prefix: netip.MustParsePrefix("2001:db8::/32")}}
	want.Dialects, want.Store.PostgresFile = []string{dir + "d.yaml"}, dir+"d.yaml"
	want.AllowHS256, want.Audit.Tokens, want.Limits.IdleTimeout = true, config.AuditSync, 60
	want.SignIn.IdleTimeout = 600
	want.SignIn.OIDC = &config.OIDC{
		Issuer: "https://id.example.com/", ClientID: "postern", ClientSecretFile: dir + "d.yaml", RedirectURI: "http://localhost:9000/api/admin/oidc/callback",
	}
	want.ClientsCached, want.Log = 1000, config.Log{Format: config.Text, Level: "debug"}
	want.Node, want.MaxNodes, want.MaxStaleness, want.JWKSMaxAge = "a", 3, 30, 60
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Fatal(diff)
	}
	if got.Log.Level.Slog() != -4 {
		t.Error("debug is not the level of slog")
	}
}

func TestLoadProblems(t *testing.T) {
	ok := small + "listeners: [{address: '127.0.0.1:8080', surfaces: [token]}]\n"
	at := func(l string) string { return small + "listeners: [" + l + "]\n" }
	for name, c := range map[string]struct{ in, want string }{
		"empty":       {"", "postern.yaml: holds 0 documents; a configuration is one"},
		"two":         {"data: x\n---\ndata: y\n", "postern.yaml: holds 2 documents; a configuration is one"},
		"syntax":      {"data: [", "postern.yaml:1: is not YAML: did not find expected node content"},
		"unknown key": {ok + "max_stalenes: 3s\n", "postern.yaml:4: max_stalenes is no field; there are data, store, master_key_file, listeners, trusted_proxies, dialects, allow_hs256, audit, signin, limits, clients_cached, log, node, max_nodes, max_staleness, jwks_max_age"},
		"secret here": {ok + "master_key: abc\n", "postern.yaml:4: master_key is no field; there are data, store, master_key_file, listeners, trusted_proxies, dialects, allow_hs256, audit, signin, limits, clients_cached, log, node, max_nodes, max_staleness, jwks_max_age"},
		"every one at once": {
			"master_key_file: nothing\nlisteners:\n  - address: 8080\n    surfaces: [tokens]\naudit: {tokens: maybe}\nlog: {level: loud}\n",
			`postern.yaml:1: data is missing; name the directory of the store
postern.yaml:1: master_key_file names DIR/nothing, which does not exist
postern.yaml:2: listeners has no listener with the surface token, so nobody would get one; write for example - {address: "127.0.0.1:8080", surfaces: [token]}
postern.yaml:3: listeners[0].address "8080" is no address; write host:port or :port, as in 127.0.0.1:8080
postern.yaml:4: listeners[0].surfaces[0] "tokens" is not one of token, gateway, admin, metrics, health
postern.yaml:5: audit.tokens "maybe" is not one of group, sync, off
postern.yaml:6: log.level "loud" is not one of debug, info, warn, error`,
		},
		"data is a file":      {strings.Replace(ok, "data: data", "data: d.yaml", 1), "postern.yaml:1: data names DIR/d.yaml, which is no directory"},
		"data is not there":   {strings.Replace(ok, "data: data", "data: x", 1), "postern.yaml:1: data names DIR/x, which does not exist; make it with mkdir -m 700"},
		"key is a directory":  {strings.Replace(ok, "master.key", "folder", 1), "postern.yaml:2: master_key_file names DIR/folder, which is no file"},
		"store without nodes": {ok + "store: {postgres_file: d.yaml}\n", "postern.yaml:1: max_nodes is missing; say how many nodes share this database at most, as each admits its part of every rate limit (1 for one node)"},
		"nodes":               {ok + "max_nodes: 1001\n", "postern.yaml:4: max_nodes is 1001; write 1 to 1000"},
		"store":               {ok + "max_nodes: 2\nstore: {postgres_file: e}\n", "postern.yaml:5: store.postgres_file names DIR/e, which does not exist"},
		"store with password": {ok + "store: {postgres: 'postgres://u:p@h/d'}\n", "postern.yaml:4: store.postgres is no field; there are postgres_file"},
		"dialect":             {ok + "dialects: [d.yaml, e.yaml]\n", "postern.yaml:4: dialects[1] names DIR/e.yaml, which does not exist"},
		"sign-in": {
			ok + "signin:\n  idle_timeout: 11h\n  absolute_timeout: 10h\n  oidc:\n    issuer: http://id.example.com\n    redirect_uri: https://postern.example.com/callback\n",
			`postern.yaml:5: signin.idle_timeout is longer than absolute_timeout (36000), so it would end nothing; write less
postern.yaml:7: signin.oidc.client_id is missing; register Postern at the provider and write the id that it gives
postern.yaml:7: signin.oidc.client_secret_file is missing; name the file of the secret that the provider gave
postern.yaml:8: signin.oidc.issuer "http://id.example.com" is no issuer identifier; write https://… without query and fragment, as the provider's discovery document has it (http to this machine only)
postern.yaml:9: signin.oidc.redirect_uri "https://postern.example.com/callback" is not where this server answers; write https://HOST/api/admin/oidc/callback, with the host by which browsers reach the surface admin (http to this machine only)`,
		},
		"sessions":            {ok + "signin: {idle_timeout: 30s, absolute_timeout: 2d}\n", "postern.yaml:4: signin.idle_timeout is 30; write 60 to 43200\npostern.yaml:4: signin.absolute_timeout is 172800; write 600 to 86400"},
		"plain beyond":        {at("{address: ':8080', surfaces: [token]}"), "postern.yaml:3: listeners[0] is plain HTTP beyond this machine, where secrets could be read; give it tls, or say behind_tls_proxy: true if a proxy that speaks TLS is all that reaches it"},
		"plain by name":       {at("{address: 'example.com:8080', surfaces: [token]}"), "postern.yaml:3: listeners[0] is plain HTTP beyond this machine, where secrets could be read; give it tls, or say behind_tls_proxy: true if a proxy that speaks TLS is all that reaches it"},
		"proxy and tls":       {at("{address: ':443', surfaces: [token], behind_tls_proxy: true, tls: {cert_file: cert.pem, key_file: key.pem}}"), "postern.yaml:3: listeners[0].behind_tls_proxy is for plain HTTP, and there is tls; leave one of them out"},
		"tls without key":     {at("{address: ':443', surfaces: [token], tls: {cert_file: cert.pem}}"), "postern.yaml:3: listeners[0].tls.key_file is missing; name the file of its private key"},
		"unknown surface":     {at("{address: 'localhost:1', surfaces: [token, console]}"), `postern.yaml:3: listeners[0].surfaces[1] "console" is not one of token, gateway, admin, metrics, health`},
		"D-101 token":         {at("{address: 'localhost:1', surfaces: [token, admin]}"), `postern.yaml:3: listeners[0].surfaces[1] admin stands beside what everybody may reach; give it a listener of its own, or say share_admin: true here`},
		"D-101 gateway":       {at("{address: 'localhost:1', surfaces: [token]}, {address: 'localhost:2', surfaces: [admin, gateway]}"), `postern.yaml:3: listeners[1].surfaces[0] admin stands beside what everybody may reach; give it a listener of its own, or say share_admin: true here`},
		"surface twice":       {at("{address: 'localhost:1', surfaces: [token, token]}"), "postern.yaml:3: listeners[0].surfaces[1] token stands there twice"},
		"no surfaces":         {at("{address: 'localhost:1', surfaces: [token]}, {address: 'localhost:2'}"), "postern.yaml:3: listeners[1].surfaces is missing; name token, gateway, admin, metrics or health"},
		"address twice":       {at("{address: 'localhost:1', surfaces: [token]}, {address: 'localhost:1', surfaces: [health]}"), "postern.yaml:3: listeners[1].address localhost:1 is the address of another listener too; give one all the surfaces"},
		"everybody a proxy":   {ok + "trusted_proxies: [0.0.0.0/0]\n", `postern.yaml:4: trusted_proxies[0] "0.0.0.0/0" is everybody, so everybody could choose the address we see; name the networks of your proxies`},
		"one proxy":           {ok + "trusted_proxies: [10.1.2.3]\n", `postern.yaml:4: trusted_proxies[0] "10.1.2.3" is no network; write it as 10.0.0.0/8, and one address as 10.1.2.3/32`},
		"host bits":           {ok + "trusted_proxies: [10.1.2.3/8]\n", `postern.yaml:4: trusted_proxies[0] "10.1.2.3/8" has bits beyond its length; write 10.0.0.0/8`},
		"limits have a floor": {ok + "limits: {header_timeout: 0, read_timeout: 1h, max_connections: 1, max_header_bytes: 1}\n", "postern.yaml:4: limits.max_connections is 1; write 16 to 1000000\npostern.yaml:4: limits.max_header_bytes is 1; write 4096 to 65536\npostern.yaml:4: limits.header_timeout is 0; write 1 to 30\npostern.yaml:4: limits.read_timeout is 3600; write 1 to 60"},
		"no guessing limits":  {ok + "limits: {guesses: 5}\n", "postern.yaml:4: limits.guesses is no field; there are max_connections, max_header_bytes, header_timeout, read_timeout, write_timeout, idle_timeout, shutdown_timeout"},
		"said once only":      {ok + "max_staleness: soon\n", `postern.yaml:4: max_staleness "soon" is no duration: write seconds, or a number with s, m, h or d, as in 90d`},
		"jwks":                {ok + "jwks_max_age: 16m\n", "postern.yaml:4: jwks_max_age is 960; write 10 to 900"},
		"node: retention's":   {ok + "node: retention\n", `postern.yaml:4: node is the name in whose chain retention tells what it dropped; take another`},
		"node":                {ok + "node: a b\n", `postern.yaml:4: node "a b" is no name of a node; write 1 to 64 printable ASCII characters without spaces`},
	} {
		t.Run(name, func(t *testing.T) {
			_, dir, err := load(t, c.in)
			var e *config.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), dir+"postern.yaml", "postern.yaml"), dir, "DIR/")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadFile(t *testing.T) {
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var e *config.Error
	if _, _, err := load(t, strings.Repeat("#", 1<<20+1)); !errors.As(err, &e) {
		t.Errorf("a file too large: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(small + "listeners: [{address: ':0', surfaces: [token]}]")
	f.Add("listeners: [{tls: {}}, x]\nlimits: []\ndata: /dev/null\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := load(t, text)
		if (c == nil) != (err != nil) {
			t.Fatal("neither a configuration nor an error")
		}
		if err == nil {
			for _, l := range c.Listeners {
				if l.TLS == nil && !l.BehindTLSProxy && !strings.HasPrefix(l.Address, "127.") && !strings.HasPrefix(l.Address, "localhost:") && !strings.HasPrefix(l.Address, "[") {
					t.Fatalf("plain HTTP at %s", l.Address)
				}
			}
		}
	})
}
