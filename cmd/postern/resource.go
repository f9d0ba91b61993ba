package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
)

type resourceCommand struct {
	List   resourceListCommand   `cmd:"" help:"List the resource directory: what the ids in resource scopes mean."`
	Find   resourceFindCommand   `cmd:"" help:"Find entries whose label or id holds a text."`
	Put    resourcePutCommand    `cmd:"" help:"Make an entry, or replace it."`
	Import resourceImportCommand `cmd:"" help:"Make and replace entries from a CSV file with the columns kind, id, label and tenant."`
	Delete resourceDeleteCommand `cmd:"" help:"Delete an entry; what clients hold stays."`
}

type resourceListCommand struct {
	listFlags
	Kind   string `name:"kind" placeholder:"KIND" help:"Only those of this kind."`
	Tenant string `name:"tenant" placeholder:"ID" help:"Only those of this tenant."`
}

// Run prints a line for each entry.
func (c resourceListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListResources(ctx, c.Kind, c.Tenant)
	return printResources(s, c.JSON, list, err)
}

func printResources(s *streams, asJSON bool, list []admin.NamedResource, err error) error {
	if err != nil {
		return err
	}
	return printList(s, asJSON, list, []string{"KIND", "ID", "LABEL", "TENANT"}, func(n *admin.NamedResource) []string {
		return []string{n.ResourceKind, n.ID, n.Label, dash(n.Tenant)}
	})
}

type resourceFindCommand struct {
	listFlags
	Text string `arg:"" help:"In any case."`
}

// Run prints a line for each entry found.
func (c resourceFindCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().FindResources(ctx, c.Text)
	return printResources(s, c.JSON, list, err)
}

type resourcePutCommand struct {
	remote
	Kind   string `arg:"" help:"Its kind, as in study."`
	ID     string `arg:"" help:"Its id, as in resource scopes."`
	Label  string `arg:"" help:"What people call it."`
	Tenant string `name:"tenant" placeholder:"ID" help:"The tenant that it belongs to; left out: none."`
}

// Run puts one entry.
func (c resourcePutCommand) Run(ctx context.Context, s *streams) error {
	if _, err := c.dial().PutResources(ctx, []admin.NewNamedResource{{Kind: c.Kind, ID: c.ID, Label: c.Label, Tenant: c.Tenant}}); err != nil {
		return err
	}
	s.say("%s %s is called %q", c.Kind, c.ID, c.Label)
	return nil
}

type resourceDeleteCommand struct {
	remote
	Kind string `arg:"" help:"Its kind."`
	ID   string `arg:"" help:"Its id."`
}

// Run deletes one entry.
func (c resourceDeleteCommand) Run(ctx context.Context, s *streams) error {
	if err := c.dial().DeleteResource(ctx, c.Kind, c.ID, 0); err != nil {
		return err
	}
	s.say("%s %s has no entry in the directory now; what clients hold stays", c.Kind, c.ID)
	return nil
}

type resourceImportCommand struct {
	remote
	File string `arg:"" help:"A CSV file (RFC 4180) whose first row names the columns; - is standard input."`
	JSON bool   `name:"json" help:"Print the entries as JSON."`
}

const (
	importChunk = 500      // entries of one put: all or none
	maxCSV      = 32 << 20 // bytes
)

// Run reads all of the file before anything is changed.
func (c resourceImportCommand) Run(ctx context.Context, s *streams) error {
	data, err := c.read(s)
	if err != nil {
		return fmt.Errorf("read resources: %w", err)
	}
	list, err := readResources(data)
	if err != nil {
		return misuse{fmt.Errorf("%s: %w; nothing was changed", c.File, err)}
	}
	conn := c.dial()
	done := make([]admin.NamedResource, 0, len(list))
	for part := range slices.Chunk(list, importChunk) {
		put, err := conn.PutResources(ctx, part)
		if err != nil {
			return hinted{fmt.Errorf("rows %d to %d: %w", len(done)+2, len(done)+len(part)+1, err), fmt.Sprintf("the %d before them are in; mend the file and import it again", len(done))}
		}
		done = append(done, put...)
	}
	s.say("the directory has %s of this file", plural(len(done), "resource"))
	if c.JSON {
		return s.json(done)
	}
	return nil
}

// read reads the file. One that is too long is refused: half of it would look whole.
func (c resourceImportCommand) read(s *streams) ([]byte, error) {
	in := s.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer file.Close() //nolint:errcheck // read only
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxCSV+1))
	if err == nil && len(data) > maxCSV {
		err = misuse{fmt.Errorf("%s has more than %d bytes; import it in parts", c.File, maxCSV)}
	}
	return data, err
}

// resourceColumns reads the first row: where each column stands.
func resourceColumns(r *csv.Reader) (map[string]int, error) {
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("is empty: its first row has to name the columns kind, id, label and, if there are any, tenant")
	}
	if err != nil {
		return nil, fmt.Errorf("has no first row with the names of the columns: %w", err)
	}
	at := make(map[string]int)
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if strings.Contains(name, ";") {
			return nil, fmt.Errorf("%q is several columns: divide them by commas, not by semicolons", name)
		}
		if !slices.Contains([]string{"kind", "id", "label", "tenant"}, name) {
			return nil, fmt.Errorf("column %q is none of kind, id, label, tenant", name)
		}
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("column %q stands there twice", name)
		}
		at[name] = i
	}
	for _, name := range []string{"kind", "id", "label"} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	return at, nil
}

// readResources reads rows of kind, id, label and, if the column is there, tenant.
func readResources(data []byte) ([]admin.NewNamedResource, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))) // as spreadsheets write it
	at, err := resourceColumns(r)
	if err != nil {
		return nil, err
	}
	var list []admin.NewNamedResource
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		n := admin.NewNamedResource{Kind: row[at["kind"]], ID: row[at["id"]], Label: row[at["label"]]}
		if i, ok := at["tenant"]; ok {
			n.Tenant = row[i]
		}
		list = append(list, n)
	}
}
