//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrLocked says that another process holds the data directory.
var ErrLocked = errors.New("the data directory is in use")

// lockFile is in the data directory and names the process that holds it.
const lockFile = "postern.lock"

// Lock takes the data directory for this process until the file is closed or
// the process ends, however it ends. The error wraps ErrLocked where another
// process has it.
func Lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is small
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w: another postern is using %s; talk to it through %s", ErrLocked, dir, filepath.Join(dir, "admin.sock"))
	}
	if err == nil {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		}
	}
	if err != nil {
		_ = f.Close() //nolint:errcheck // the error above matters
		return nil, err
	}
	return f, nil
}
