package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/oauth/dialect"
)

type dialectCommand struct {
	List  dialectListCommand  `cmd:"" help:"List the dialects."`
	Show  dialectShowCommand  `cmd:"" help:"Explain one dialect, or print its file."`
	Check dialectCheckCommand `cmd:"" help:"Is a live token endpoint what its dialect says?"`
}

// dialectFiles are the dialects to choose from: those built in, and more.
type dialectFiles struct {
	File []string `name:"file" placeholder:"FILE" help:"A dialect file beside those built in."`
}

func (d dialectFiles) set() (dialect.Set, error) {
	return server.Dialects(&config.Config{Dialects: d.File})
}

// find returns a dialect by name.
func (d dialectFiles) find(name string) (*dialect.Dialect, error) {
	set, err := d.set()
	if err != nil {
		return nil, err
	}
	found, ok := set.Get(name)
	if !ok {
		return nil, misuse{hinted{fmt.Errorf("there is no dialect %q", name), "`postern dialect list` shows those there are"}}
	}
	return found, nil
}

type dialectListCommand struct {
	dialectFiles
	JSON bool `name:"json" help:"Print JSON."`
}

// listedDialect is what `dialect list --json` prints of each.
type listedDialect struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Path  string `json:"path"`
}

// Run prints a line for each dialect.
func (c dialectListCommand) Run(s *streams) error {
	set, err := c.set()
	if err != nil {
		return err
	}
	list := make([]listedDialect, 0, 8)
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		list = append(list, listedDialect{d.Name, d.Title, d.Wire.Path})
	}
	if c.JSON {
		return s.json(list)
	}
	rows := [][]string{{"NAME", "PATH", "TITLE"}}
	for _, d := range list {
		rows = append(rows, []string{d.Name, d.Path, d.Title})
	}
	return s.table(rows)
}

type dialectShowCommand struct {
	dialectFiles
	Name   string `arg:"" help:"The dialect."`
	Source bool   `name:"source" help:"Print the file itself, to start one of your own from."`
	JSON   bool   `name:"json" help:"Print both as JSON."`
}

// shownDialect is what `dialect show --json` prints.
type shownDialect struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Page  string `json:"page"` // Markdown
	File  string `json:"file"` // YAML
}

// Run prints the documentation page, or the file.
func (c dialectShowCommand) Run(s *streams) error {
	d, err := c.find(c.Name)
	if err != nil {
		return err
	}
	page := d.Markdown()
	source, err := c.source()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(shownDialect{Name: d.Name, Title: d.Title, Page: page, File: string(source)})
	}
	if c.Source {
		page = string(source)
	}
	_, err = io.WriteString(s.out, page)
	return err
}

func (c dialectShowCommand) source() ([]byte, error) {
	for _, file := range c.File {
		data, err := os.ReadFile(file) //nolint:gosec // the file the user named
		if err != nil {
			return nil, err
		}
		if d, err := dialect.Load(file, data); err == nil && d.Name == c.Name {
			return data, nil
		}
	}
	return dialect.Source(c.Name)
}

type dialectCheckCommand struct {
	dialectFiles
	URL      string `arg:"" help:"The token endpoint."`
	Dialect  string `name:"dialect" required:"" placeholder:"NAME" help:"What it should speak."`
	ClientID string `name:"client-id" placeholder:"ID" help:"Also get a token, as this client; the secret is read from standard input."`
	Scope    string `name:"scope" help:"Scope to ask for."`
	Audience string `name:"audience" help:"Audience to ask for."`
	DryRun   bool   `name:"dry-run" help:"List the requests and send none."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// Run sends the requests that it lists first. None carries wrong credentials.
func (c dialectCheckCommand) Run(ctx context.Context, s *streams) error {
	d, err := c.find(c.Dialect)
	if err != nil {
		return err
	}
	switch {
	case c.ClientID == "" && (c.Scope != "" || c.Audience != ""):
		return misuse{errors.New("--scope and --audience belong to a token request: name the client with --client-id too")}
	case c.Audience != "" && d.Wire.Audience.Presence == dialect.None:
		return misuse{fmt.Errorf("--audience: dialect %s has no such parameter; leave it out", d.Name)}
	}
	return checkEndpoint(ctx, s, d, c)
}
