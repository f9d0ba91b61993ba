package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/oauth/dialect"
)

type checkCommand struct {
	Config string `name:"config" placeholder:"FILE" help:"A configuration, with the files that it names."`
	Dir    string `name:"file" short:"f" placeholder:"DIR" help:"A directory of objects; all that they refer to must stand in it."`
	JSON   bool   `name:"json" help:"Print JSON."`
	settingFlags
}

// checkProblem is one thing that is wrong.
type checkProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// String is `file:line: field: message`.
func (p checkProblem) String() string {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Field != "" {
		at += ": " + p.Field
	}
	return at + ": " + p.Message
}

// Run prints every problem.
func (c checkCommand) Run(ctx context.Context, s *streams) error {
	if c.Config == "" && c.Dir == "" {
		return misuse{hinted{errors.New("there is nothing to check"), "name a configuration with --config FILE, a directory of objects with -f DIR, or both"}}
	}
	found := []checkProblem{}
	cfg := config.Default()
	if c.Config != "" {
		var err error
		var problems []checkProblem
		if cfg, problems, err = checkConfig(c.Config, c.overrides()); err != nil {
			return err
		}
		found = append(found, problems...)
	}
	set, problems, err := checkDialects(cfg.Dialects)
	if err != nil {
		return err
	}
	found = append(found, problems...)
	if c.Dir != "" {
		problems, warnings, err := checkObjects(ctx, c.Dir, &registry.Registry{Dialects: set, AllowHS256: cfg.AllowHS256, Now: time.Now})
		if err != nil {
			return err
		}
		found = append(found, problems...)
		for _, w := range warnings {
			s.say("warning: %s: %s: %s", w.Object, w.Field, w.Message)
		}
	}
	return c.print(s, found)
}

func (c checkCommand) print(s *streams, found []checkProblem) error {
	if c.JSON {
		if err := s.json(found); err != nil {
			return err
		}
	} else {
		for _, p := range found {
			s.data("%s", p)
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%s", plural(len(found), "problem"))
	}
	s.say("no problems")
	return nil
}

// checkConfig reads a configuration, and the secrets that it names as the server would.
func checkConfig(file string, over []config.Override) (*config.Config, []checkProblem, error) {
	cfg, err := config.Load(file, over...)
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		list := make([]checkProblem, len(wrong.Problems))
		for i, p := range wrong.Problems {
			list[i] = checkProblem(p)
		}
		return wrong.Read, list, nil
	case err != nil:
		return nil, nil, err
	}
	var list []checkProblem
	if _, err := seal.ReadMaster(cfg.MasterKeyFile); err != nil {
		list = append(list, checkProblem{File: file, Field: "master_key_file", Message: err.Error()})
	}
	if err := server.CheckStore(cfg.Store); err != nil {
		list = append(list, checkProblem{File: file, Field: "store.postgres_file", Message: err.Error()})
	}
	for i, l := range cfg.Listeners {
		if l.TLS == nil {
			continue
		}
		if _, err := tls.LoadX509KeyPair(l.TLS.CertFile, l.TLS.KeyFile); err != nil {
			list = append(list, checkProblem{File: file, Field: fmt.Sprintf("listeners[%d].tls", i), Message: err.Error()})
		}
	}
	return cfg, list, nil
}

// checkDialects reads the dialect files; those that are right are in the set.
func checkDialects(files []string) (dialect.Set, []checkProblem, error) {
	var list []checkProblem
	var own []*dialect.Dialect
	for _, file := range files {
		data, err := os.ReadFile(filepath.Clean(file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a problem of the configuration, and told there
		}
		if err != nil {
			return dialect.Set{}, nil, err
		}
		d, err := dialect.Load(file, data)
		var wrong *dialect.FileError
		switch {
		case errors.As(err, &wrong):
			for _, p := range wrong.Problems {
				list = append(list, checkProblem(p))
			}
		case err != nil:
			return dialect.Set{}, nil, err
		default:
			own = append(own, d)
		}
	}
	set, err := dialect.NewSet(own...)
	if err != nil { // two of one name
		return dialect.Builtin(), append(list, checkProblem{File: strings.Join(files, ", "), Field: "name", Message: err.Error()}), nil
	}
	return set, list, nil
}

// checkObjects reads a directory of objects as if there were nothing in the store.
func checkObjects(ctx context.Context, dir string, reg *registry.Registry) ([]checkProblem, []registry.Warning, error) {
	files, err := declare.ReadDir(dir)
	unread, err := problemsOf(err)
	if err != nil {
		return nil, nil, err
	}
	for i := range unread {
		unread[i].File = filepath.Join(dir, unread[i].File)
	}
	for i := range files {
		files[i].Name = filepath.Join(dir, files[i].Name)
	}
	objects, _ := declare.Parse(files) // Check tells the problems of form too, with all others
	list, err := problemsOf(declare.Check(ctx, reg, objects))
	return append(unread, list...), registry.Uncallable(objects.APIs(), objects.Policies()), err
}

// problemsOf takes the problems out of an error; any other it returns.
func problemsOf(err error) ([]checkProblem, error) {
	var wrong *declare.Error
	if !errors.As(err, &wrong) {
		return nil, err
	}
	list := make([]checkProblem, len(wrong.Problems))
	for i, p := range wrong.Problems {
		list[i] = checkProblem(p)
	}
	return list, nil
}
