package declare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/domain"
)

// The bounds of a directory.
const (
	maxFiles = 10_000
	maxFile  = 1 << 20  // bytes; of a schema: domain.MaxSchema
	maxTotal = 12 << 20 // bytes
)

// ErrNoFiles says that a directory has nothing to apply.
var ErrNoFiles = errors.New("no files that end in .yaml or .yml")

// ReadDir reads the `.yaml` and `.yml` files of a directory and those below it, and the
// schemas beside them, in the order of their names. Names that begin with a dot are left out; a link
// that leads out of the directory is refused. The error is an *Error where some
// files cannot be taken; the others are returned beside it.
func ReadDir(dir string) ([]File, error) {
	if at, err := os.Stat(dir); err == nil && !at.IsDir() {
		return nil, fmt.Errorf("read objects: %s is no directory; name the one that it is in", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	defer root.Close() //nolint:errcheck // read only
	w := walk{root: root}
	err = fs.WalkDir(root.FS(), ".", w.visit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read objects in %s: %w", dir, err)
	case len(w.problems) > 0:
		return w.files, asError(w.problems)
	case !slices.ContainsFunc(w.files, func(f File) bool { return !isSchema(f.Name) }):
		return nil, fmt.Errorf("read objects in %s: %w", dir, ErrNoFiles)
	}
	return w.files, nil
}

// walk is one reading of a directory.
type walk struct {
	root     *os.Root
	files    []File
	problems []Problem // of files that cannot be taken
	total    int       // bytes
}

func (w *walk) visit(name string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case name != "." && strings.HasPrefix(entry.Name(), "."):
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	case entry.IsDir() || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" && !isSchema(name):
		return nil
	case len(w.files)+len(w.problems) == maxFiles:
		return fmt.Errorf("there are more than %d files; apply them directory by directory", maxFiles)
	}
	data, wrong := readFile(w.root, name)
	if wrong != "" {
		w.problems = append(w.problems, Problem{File: name, Message: wrong})
		return nil
	}
	if w.total += len(data); w.total > maxTotal {
		return fmt.Errorf("the files are more than %d bytes together; apply them directory by directory", maxTotal)
	}
	w.files = append(w.files, File{Name: name, Content: data})
	return nil
}

// readFile returns what the file holds, or why it cannot be taken.
func readFile(root *os.Root, name string) (data []byte, wrong string) {
	info, err := root.Stat(name)
	if err != nil { // it was listed a moment ago
		return nil, "leads out of the directory, or nowhere; put the file itself here"
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, "is no regular file"
	}
	most := maxFile
	if isSchema(name) {
		most = domain.MaxSchema
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, cannotRead(err)
	}
	defer f.Close() //nolint:errcheck // read only
	data, err = io.ReadAll(io.LimitReader(f, int64(most)+1))
	switch {
	case err != nil:
		return nil, cannotRead(err)
	case len(data) > most:
		return nil, fmt.Sprintf("is larger than %d bytes", most)
	case isSchema(name) && !utf8.Valid(data):
		return nil, "is no text in UTF-8"
	}
	return data, ""
}

// cannotRead says why, without the name, which stands before it.
func cannotRead(err error) string {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		err = of.Err
	}
	return "cannot be read: " + err.Error()
}
