package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
)

type exportCommand struct {
	remote
	Out    string   `name:"output" short:"o" required:"" placeholder:"DIR" help:"Directory for the files; it is made where there is none."`
	Kind   []string `name:"kind" enum:"tier,policy,issuer,tenant,api,client" placeholder:"KIND" help:"Only tier, policy, issuer, tenant, api or client; several by commas."`
	Issuer string   `name:"issuer" placeholder:"NAME" help:"Of issuers, APIs and clients those of this one only."`
	Tenant string   `name:"tenant" placeholder:"ID" help:"Of tenants and clients those of this one only."`
	Force  bool     `name:"force" help:"Overwrite files that are there."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// Help says what the files are for.
func (exportCommand) Help() string {
	return "Applying the files changes nothing of what they say; no secret is in them. With apply they become a set (docs/objects.md)."
}

// exported is what `export --json` prints.
type exported struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
}

// Run writes a file for each kind, and one for each schema.
func (c exportCommand) Run(ctx context.Context, s *streams) error {
	files, err := c.dial().Export(ctx, admin.Exporting{Kind: c.Kind, Issuer: c.Issuer, Tenant: c.Tenant})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Out)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // each file was closed
	if err := c.vacant(root, files); err != nil {
		return err
	}
	done := exported{Dir: c.Out, Files: []string{}}
	for _, f := range files {
		if err := writeFile(root, f, c.Force); err != nil {
			return fmt.Errorf("write %s: %w", filepath.Join(c.Out, f.Name), err)
		}
		done.Files = append(done.Files, f.Name)
	}
	if others := others(root, done.Files); len(others) > 0 {
		s.hint("%s also holds %s: apply reads those too", c.Out, strings.Join(others, ", "))
	}
	if c.JSON {
		return s.json(done)
	}
	for _, name := range done.Files {
		s.data("%s", filepath.Join(c.Out, name))
	}
	return nil
}

// vacant refuses, before anything is written, what would overwrite a file.
func (c exportCommand) vacant(root *os.Root, files []admin.File) error {
	var there []string
	for _, f := range files {
		if filepath.Base(f.Name) != f.Name || !filepath.IsLocal(f.Name) {
			return fmt.Errorf("the server names a file %q, which is no name in a directory", f.Name)
		}
		if _, err := root.Lstat(f.Name); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, f.Name)
		}
	}
	if len(there) > 0 && !c.Force {
		return hinted{fmt.Errorf("%s holds %s already, and nothing was written", c.Out, strings.Join(there, ", ")), "name another directory, or say --force to overwrite them"}
	}
	return nil
}

func writeFile(root *os.Root, f admin.File, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := root.OpenFile(f.Name, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(f.Content)
	return errors.Join(err, file.Close())
}

// others lists what apply would read in the directory beside the files written.
func others(root *os.Root, written []string) (list []string) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil // it is a hint only
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); (ext == ".yaml" || ext == ".yml") && !slices.Contains(written, e.Name()) {
			list = append(list, e.Name())
		}
	}
	return list
}
