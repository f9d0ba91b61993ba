package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// opened makes something of which a secret is shown once. Where a flag names the file that the
// secret is to go to, that is opened first: what was made and cannot be written is lost. nil: it
// is to be printed.
func opened(flag, name string, do func() error) (file *os.File, err error) {
	if name != "" {
		if file, err = newPrivate(name); err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
	}
	if err = do(); err != nil && file != nil {
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, err
}

// writeLine is all that a file gets.
func writeLine(file *os.File, secret string) error {
	_, err := file.WriteString(secret + "\n")
	return errors.Join(err, file.Sync(), file.Close())
}

// newPrivate makes a file that only its owner can read, where there is none yet.
func newPrivate(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, hinted{fmt.Errorf("%s is there already and is not overwritten", name), "name a new file, or move that one away"}
	}
	return f, err
}

// readPrivate reads a file with a secret, and refuses one that others may read.
func readPrivate(name string) (string, error) {
	f, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); info.Mode().IsRegular() && mode&0o077 != 0 {
		return "", hinted{fmt.Errorf("%s may be read by others than its owner (mode %04o)", name, mode), "chmod 600 " + name}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxInput))
	return string(data), err
}

// writePrivate replaces a file by one that only its owner can read. Whoever reads it while
// it is written sees the old one or the new one, whole.
func writePrivate(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".postern-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to tell
	}
	return err
}
