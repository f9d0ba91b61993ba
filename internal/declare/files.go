package declare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// The bounds of a directory.
const (
	maxFiles = 10_000
	maxFile  = 1 << 20  // bytes
	maxTotal = 12 << 20 // bytes
)

// ErrNoFiles says that a directory has nothing to apply.
var ErrNoFiles = errors.New("no files that end in .yaml or .yml")

// ReadDir reads the `.yaml` and `.yml` files of a directory and those below it,
// in the order of their names. Names that begin with a dot are left out; a link
// that leads out of the directory is refused.
func ReadDir(dir string) ([]File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	defer root.Close() //nolint:errcheck // read only
	var files []File
	total := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml":
			return nil
		case len(files) == maxFiles:
			return fmt.Errorf("there are more than %d files; apply them directory by directory", maxFiles)
		}
		f, err := readFile(root, name)
		if total += len(f.Content); err == nil && total > maxTotal {
			err = fmt.Errorf("the files are more than %d bytes together; apply them directory by directory", maxTotal)
		}
		files = append(files, f)
		return err
	})
	if err == nil && len(files) == 0 {
		err = ErrNoFiles
	}
	if err != nil {
		return nil, fmt.Errorf("read objects in %s: %w", dir, err)
	}
	return files, nil
}

// Load reads the objects of a directory: ReadDir and Parse.
func Load(dir string) (Objects, error) {
	files, err := ReadDir(dir)
	if err != nil {
		return Objects{}, err
	}
	return Parse(files)
}

func readFile(root *os.Root, name string) (File, error) {
	info, err := root.Stat(name)
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return File{}, fmt.Errorf("%s is no file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return File{Name: name, Content: data}, err
}
