package config

import (
	"fmt"
	"log/slog"
	"net/netip"
)

// Surface is a named set of endpoints that a listener may carry.
type Surface string

// The surfaces.
const (
	Token   Surface = "token"
	Gateway Surface = "gateway"
	Admin   Surface = "admin"
	Metrics Surface = "metrics"
	Health  Surface = "health"
)

// TokenAudit says when a token is answered.
type TokenAudit string

// The choices; the words are those of package audit.
const (
	AuditGroup TokenAudit = "group"
	AuditSync  TokenAudit = "sync"
	AuditOff   TokenAudit = "off"
)

// LogFormat is how a log line is written.
type LogFormat string

// The formats.
const (
	JSON LogFormat = "json"
	Text LogFormat = "text"
)

// LogLevel is the least that is logged.
type LogLevel string

// Slog is the level in the words of log/slog.
func (l LogLevel) Slog() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l)) // Load has looked at it; else info
	return level
}

// Network is a network of addresses in CIDR form.
type Network struct{ netip.Prefix }

// UnmarshalText reads `10.0.0.0/8`.
func (n *Network) UnmarshalText(text []byte) error {
	p, err := netip.ParsePrefix(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("%q is no network; write it as 10.0.0.0/8, and one address as 10.1.2.3/32", text)
	case p != p.Masked():
		return fmt.Errorf("%q has bits beyond its length; write %s", text, p.Masked())
	case p.Bits() == 0:
		return fmt.Errorf("%q is everybody, so everybody could choose the address we see; name the networks of your proxies", text)
	}
	n.Prefix = p
	return nil
}
