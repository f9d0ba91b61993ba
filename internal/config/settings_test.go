package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/config"
)

// One name in all three, and none that two settings share.
func TestSettingsHaveOneName(t *testing.T) {
	env, flags := make(map[string]bool), make(map[string]bool)
	found := make(map[string]config.Setting)
	for _, s := range config.Settings() {
		if env[s.Env()] || flags[s.Flag()] {
			t.Errorf("%s shares %s or --%s with another", s.Field, s.Env(), s.Flag())
		}
		env[s.Env()], flags[s.Flag()], found[s.Field] = true, true, s
	}
	for field, want := range map[string][2]string{
		"data":                   {"POSTERN_DATA", "data"},
		"log.level":              {"POSTERN_LOG_LEVEL", "log-level"},
		"limits.max_connections": {"POSTERN_LIMITS_MAX_CONNECTIONS", "limits-max-connections"},
		"store.postgres_file":    {"POSTERN_STORE_POSTGRES_FILE", "store-postgres-file"},
		"listeners":              {"POSTERN_LISTENERS", "listeners"},
	} {
		if s, ok := found[field]; !ok || s.Env() != want[0] || s.Flag() != want[1] {
			t.Errorf("%s: %v %q --%s", field, ok, s.Env(), s.Flag())
		}
	}
}

// scene is a directory with a configuration that can be read.
func scene(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"master.key", "other.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "postern.yaml")
	const text = "data: data\nmaster_key_file: master.key\nlog: {level: warn}\nlisteners:\n  - {address: \"127.0.0.1:8080\", surfaces: [token]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func overrides(t *testing.T, environ ...string) []config.Override {
	t.Helper()
	list := config.Environment(environ)
	if len(list) != len(environ) {
		t.Fatalf("%d of %d variables are settings: %v", len(list), len(environ), environ)
	}
	return list
}

func TestOverridesGoBeforeTheFile(t *testing.T) {
	file := scene(t)
	t.Chdir(filepath.Dir(file))
	over := overrides(t, "POSTERN_LOG_LEVEL=debug", "POSTERN_LOG_FORMAT=text", "POSTERN_LIMITS_READ_TIMEOUT=20s", "POSTERN_TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.1/32",
		"POSTERN_ALLOW_HS256=true", "POSTERN_NODE=007", `POSTERN_LISTENERS=[{address: "127.0.0.1:9", surfaces: [token, gateway]}]`)
	for _, s := range config.Settings() {
		if s.Flag() == "log-level" {
			over = append(over, s.FromFlag("error"))
		}
	}
	c, err := config.Load(file, over...)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Log.Level, c.Log.Format, c.Limits.ReadTimeout, len(c.TrustedProxies), c.AllowHS256, c.Node, c.Listeners[0].Address, len(c.Listeners[0].Surfaces), c.Limits.IdleTimeout}
	want := []any{config.LogLevel("error"), config.Text, config.Default().Limits.ReadTimeout + 10, 2, true, "007", "127.0.0.1:9", 2, config.Default().Limits.IdleTimeout}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// In a container there may be no file at all. Paths are then relative to where one is.
func TestOverridesWithoutAFile(t *testing.T) {
	t.Chdir(filepath.Dir(scene(t)))
	c, err := config.Load("", overrides(t, "POSTERN_DATA=data", "POSTERN_MASTER_KEY_FILE=other.key",
		`POSTERN_LISTENERS=[{address: "127.0.0.1:8080", surfaces: [token]}]`)...)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "data" || c.MasterKeyFile != "other.key" {
		t.Errorf("%q, %q", c.Data, c.MasterKeyFile)
	}
}

// A problem names what set the field: the variable, the flag, or file and line.
func TestOverridesAreTold(t *testing.T) {
	file := scene(t)
	for env, want := range map[string]string{
		"POSTERN_LOG_LEVEL=loud":          `POSTERN_LOG_LEVEL: log.level "loud" is not one of`,
		"POSTERN_MASTER_KEY_FILE=nowhere": `POSTERN_MASTER_KEY_FILE: master_key_file names nowhere, which does not exist`,
		"POSTERN_LIMITS_READ_TIMEOUT=x":   `POSTERN_LIMITS_READ_TIMEOUT: limits.read_timeout`,
		"POSTERN_LISTENERS=[{":            `POSTERN_LISTENERS: is not YAML`,
		"POSTERN_LISTENERS=[{a: 1}]":      `POSTERN_LISTENERS: listeners[0].a is no field`,
		"POSTERN_CLIENTS_CACHED=1":        `POSTERN_CLIENTS_CACHED: clients_cached is 1`,
		"POSTERN_NODE=a'b c":              `POSTERN_NODE: node "a'b c" is no name`,
	} {
		_, err := config.Load(file, overrides(t, env)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want %s", env, err, want)
		}
	}
	_, err := config.Load("", overrides(t, "POSTERN_DATA="+filepath.Join(filepath.Dir(file), "data"))...)
	if err == nil || !strings.Contains(err.Error(), "configuration: master_key_file is missing") {
		t.Errorf("%v", err)
	}
}
