package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/config"
)

const certificateCheck = time.Second // between two looks at the files

// certificate is a certificate from files, read again when they change. Files
// that cannot be read leave the old one in place.
type certificate struct {
	files config.TLS
	log   *slog.Logger
	now   func() time.Time

	current atomic.Pointer[tls.Certificate]

	looking sync.Mutex   // held by the one that looks at the files; nobody waits for it
	seen    [2]time.Time // when the files were changed last
	checked time.Time
}

func newCertificate(files config.TLS, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{files: files, log: log, now: now}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) stamp() (stamp [2]time.Time, err error) {
	for i, name := range []string{c.files.CertFile, c.files.KeyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return stamp, err
		}
		stamp[i] = info.ModTime()
	}
	return stamp, nil
}

func (c *certificate) load() error {
	stamp, err := c.stamp()
	if err != nil {
		return fmt.Errorf("TLS certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate %s: %w", c.files.CertFile, err)
	}
	c.current.Store(&pair)
	c.seen = stamp
	return nil
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.looking.TryLock() {
		c.look()
		c.looking.Unlock()
	}
	return c.current.Load(), nil
}

// look reads the files again where they have changed.
func (c *certificate) look() {
	now := c.now()
	if now.Sub(c.checked) < certificateCheck {
		return
	}
	c.checked = now
	if stamp, err := c.stamp(); err == nil && stamp == c.seen {
		return
	}
	if err := c.load(); err != nil {
		c.log.Error("the certificate has changed and cannot be read; the old one stays", "error", err)
		return
	}
	c.log.Info("the certificate has changed", "file", c.files.CertFile)
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}
