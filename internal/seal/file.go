package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is more than any file of a master key has.
const maxFile = 1024

// NewMaster makes a random master key and the file that holds it, mode 0600,
// one line of base64. It never overwrites: where there is a file already the
// error is fs.ErrExist. Errors are *FileError.
func NewMaster(file string) (Master, error) {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	m, err := newMaster(key)
	if err != nil {
		return Master{}, err
	}
	line := base64.StdEncoding.AppendEncode(nil, key)
	if err := create(file, append(line, '\n')); err != nil {
		return Master{}, fileError(file, err)
	}
	return m, nil
}

// create writes a new file that is there, whole, after a loss of power too: a
// master key that is lost takes everything with it.
func create(file string, data []byte) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(file))
}

func syncDirectory(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadMaster reads the master key: a regular file that only its owner may read,
// with 32 bytes in base64, a line end after it or none. Errors are *FileError:
// fs.ErrNotExist, ErrPermissions, ErrNotKeyFile, or of the system.
func ReadMaster(file string) (Master, error) {
	data, err := read(file)
	if err != nil {
		return Master{}, fileError(file, err)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(string(data))
	if err != nil || bytes.ContainsAny(data, "\r\n") {
		return Master{}, fileError(file, ErrNotKeyFile)
	}
	m, err := newMaster(key)
	if err != nil {
		return Master{}, fileError(file, ErrNotKeyFile)
	}
	return m, nil
}

// read returns the one line of the file, and judges the file that it opened,
// not one that had the name a moment before.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotKeyFile
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w (mode %04o)", ErrPermissions, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	return bytes.TrimSuffix(data, []byte("\r")), nil
}

func fileError(file string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // without the name, which FileError has
	}
	e := &FileError{File: file, Err: err}
	switch {
	case errors.Is(err, ErrPermissions):
		e.Hint = "chmod 600 " + file
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "restore it from where it was kept; without it what is sealed stays so"
	case errors.Is(err, fs.ErrExist):
		e.Hint = "use the one that is there, or name another file"
	case errors.Is(err, ErrNotKeyFile):
		e.Hint = "it should be one line as `openssl rand -base64 32` writes it"
	}
	return e
}
