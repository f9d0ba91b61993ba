package main

import (
	"context"
	"errors"

	"github.com/postern-dev/postern/internal/server"
)

type copyCommand struct {
	From string `name:"from" required:"" placeholder:"STORE" help:"Data directory, or file with the URL of a PostgreSQL database (store.postgres_file). No server may run on it."`
	To   string `name:"to" required:"" placeholder:"STORE" help:"The same, and empty. A directory is made."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run copies, and prints what was proved to be there.
func (c copyCommand) Run(ctx context.Context, s *streams) error {
	rows, err := server.Copy(ctx, c.From, c.To)
	switch {
	case errors.Is(err, server.ErrBusy):
		return hinted{err, "stop every server on it first; nothing was copied"}
	case errors.Is(err, server.ErrNotEmpty):
		return hinted{err, "name a new directory or an empty database; nothing was copied"}
	case err != nil:
		return err
	}
	if c.JSON {
		return s.json(rows)
	}
	for _, r := range rows {
		s.data("%-9s %d", r.Table, r.Rows)
	}
	s.say("the copy holds every row, its head of the feed is the same, and its audit chains are whole")
	s.hint("the master key is in neither: servers on the copy need the same master_key_file, and none may run on both")
	return nil
}
