package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
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

// peerKey is the key of who is on the other side of a socket, in the context of a request.
type peerKey struct{}

// peerOf is what the kernel says of it.
type peerOf struct {
	uid int
	err error
}

// Serve makes server answer the admin API, which is h, to whoever is on the other side of a
// Unix socket: the user that Postern runs as, and root. Each is a platform administrator
// with the actor `local:<uid>`. Many files wait meanwhile for the API to be put together.
func Serve(server *http.Server, h http.Handler) {
	server.ReadTimeout = readTimeout
	server.Handler = h
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		uid, err := peer(c)
		return context.WithValue(ctx, peerKey{}, peerOf{uid, err})
	}
}
