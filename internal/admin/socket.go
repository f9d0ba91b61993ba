package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/request"
)

// maxSocketPath is what the address of a Unix socket has room for.
const maxSocketPath = 107

// Listen opens the admin socket, mode 0600. One that a killed process left behind
// is removed: the lock on the data directory says that nobody listens there.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the admin socket has %d bytes and the system allows %d; choose a shorter data directory: %s", len(path), maxSocketPath, path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("admin socket: %w", err), l.Close())
	}
	return l, nil
}

// The keys of what a request's context carries: who sent it, and its exchange.
type (
	peerKey     struct{}
	exchangeKey struct{}
)

// Serve makes server answer the admin API to whoever is on the other side of a
// Unix socket: the user that Postern runs as, and root. Each is a platform
// administrator with the actor `local:<uid>`. An answer may take its time: many files
// make a long apply, and cut off in its midst it would lose the secrets of what it made.
// log gets a line for each request. e is what explains calls.
func Serve(server *http.Server, r *registry.Registry, e Explainer, log *slog.Logger) {
	server.WriteTimeout = 0
	h := newHandler(r, e)
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		uid, err := peer(c)
		if err != nil {
			return ctx
		}
		return context.WithValue(ctx, peerKey{}, uid)
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := time.Now()
		ex := request.Begin(w, req, r.Now(), nil)
		defer func() { ex.Log(log, req, time.Since(began)) }()
		uid, ok := req.Context().Value(peerKey{}).(int)
		if !ok || uid != 0 && uid != os.Geteuid() {
			http.Error(ex, `{"title":"Forbidden","status":403,"detail":"the admin socket answers the user that postern runs as, and root"}`, http.StatusForbidden)
			return
		}
		ex.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(ex, req.WithContext(context.WithValue(req.Context(), exchangeKey{}, ex)))
	})
}

// actor is who makes the request.
func actor(ctx context.Context) domain.Actor {
	uid, _ := ctx.Value(peerKey{}).(int)
	return domain.Actor("local:" + strconv.Itoa(uid))
}
