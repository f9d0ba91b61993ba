package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/signin"
)

// listener is one address and the server behind it.
type listener struct {
	net.Listener
	http *http.Server
}

// listen opens an address with the surfaces it carries.
func (n *Node) listen(l config.Listener) (*listener, error) {
	inner, err := net.Listen("tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	inner = limit(inner, n.Config.Limits.MaxConnections)
	if l.TLS != nil {
		cert, err := newCertificate(*l.TLS, n.Log, time.Now)
		if err != nil {
			_ = inner.Close()
			return nil, err
		}
		inner = tls.NewListener(inner, cert.config())
	}
	server := n.httpServer(n.surfaces(l.Surfaces))
	if l.BehindTLSProxy {
		server.BaseContext = func(net.Listener) context.Context { return signin.BehindTLS(context.Background()) }
	}
	return &listener{inner, server}, nil
}

// httpServer bounds everything a peer can stretch (D-34).
func (n *Node) httpServer(h http.Handler) *http.Server {
	l := n.Config.Limits
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            l.HeaderTimeout.Duration(),
		ReadTimeout:                  l.ReadTimeout.Duration(),
		WriteTimeout:                 l.WriteTimeout.Duration(),
		IdleTimeout:                  l.IdleTimeout.Duration(),
		MaxHeaderBytes:               l.MaxHeaderBytes,
		DisableGeneralOptionsHandler: true, // OPTIONS is 405 like any method but POST
		ErrorLog:                     slog.NewLogLogger(n.Log.Handler(), slog.LevelDebug),
	}
}

// surfaces is the handler of a listener. Issuers and APIs match their paths
// themselves: no mux that redirects stands before them. What is an issuer's goes
// before any API.
func (n *Node) surfaces(list []config.Surface) http.Handler {
	metrics, health := slices.Contains(list, config.Metrics), slices.Contains(list, config.Health)
	tokens, calls := slices.Contains(list, config.Token), slices.Contains(list, config.Gateway)
	admins := slices.Contains(list, config.Admin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case metrics && r.URL.Path == "/metrics":
			n.metrics.ServeHTTP(w, r)
		case health && (r.URL.Path == "/livez" || r.URL.Path == "/readyz"):
			n.health(w, r)
		case admins && strings.HasPrefix(r.URL.Path, admin.Prefix) && !(tokens && n.auth.Serves(r)):
			n.admin.ServeHTTP(w, r)
		case tokens && (!calls || n.auth.Serves(r)):
			n.auth.ServeHTTP(w, r)
		case calls:
			n.gateway.ServeHTTP(w, r)
		default:
			http.Error(w, "nothing is served at this path", http.StatusNotFound)
		}
	})
}

// health answers whether the process lives, and whether it can do its work.
func (n *Node) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == "/readyz" {
		if err := n.Snapshot.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = w.Write([]byte("ok\n"))
}

// limited accepts so many connections at once and lets further ones wait.
type limited struct {
	net.Listener
	seats chan struct{}
	done  chan struct{}
	once  sync.Once
}

func limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, seats: make(chan struct{}, n), done: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.seats <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.seats
		return nil, err
	}
	return &seated{Conn: c, release: sync.OnceFunc(func() { <-l.seats })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type seated struct {
	net.Conn
	release func()
}

func (s *seated) Close() error {
	defer s.release()
	return s.Conn.Close()
}

// SetLinger lets the gateway end an answer with an error (net.TCPConn.SetLinger).
func (s *seated) SetLinger(seconds int) error {
	if c, ok := s.Conn.(interface{ SetLinger(int) error }); ok {
		return c.SetLinger(seconds)
	}
	return errors.ErrUnsupported
}

// CloseWrite ends one direction of an upgraded connection.
func (s *seated) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Close()
}
