package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/seal"
)

// database is a PostgreSQL that keeps what it commits, as one in use does, and was
// started for this run.
type database struct {
	url  string
	stop func()
}

func startDatabase() (*database, error) {
	found, stop, err := pgtest.Run("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on")
	if err != nil {
		return nil, err
	}
	return &database{url: found, stop: stop}, nil
}

// deaf makes a database tell nobody of its changes: a function of this name stands before
// the one of PostgreSQL, and does nothing. Nodes then follow by polls alone.
const deaf = `CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS '';
ALTER DATABASE %s SET search_path = public, pg_catalog`

// make makes an empty database and returns its URL.
func (d *database) make(ctx context.Context, name string, notify bool) (string, error) {
	if err := execute(ctx, d.url, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u, err := url.Parse(d.url)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	if !notify {
		err = execute(ctx, u.String(), fmt.Sprintf(deaf, name))
	}
	return u.String(), err
}

func execute(ctx context.Context, database, text string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}

// startNodes starts n nodes on one database, all with the setup's API. The first has filled it.
func (b *bench) startNodes(ctx context.Context, p postern, database string, n int, s setup) ([]*server, error) {
	places, err := b.places(database, n)
	if err != nil {
		return nil, err
	}
	nodes := make([]*server, n)
	for i, at := range places {
		if err := writeConfig(at, s); err != nil {
			return nil, err
		}
		l := p.launch(at, s)
		l.setup = s
		if i == 0 {
			err = fill(ctx, at, s, l)
		} else {
			l.calls = nodes[0].launch.calls
		}
		if err != nil {
			return nil, err
		}
		if nodes[i], err = b.serve(ctx, p, l); err != nil {
			return nil, err
		}
		nodes[i].name = "node " + strconv.Itoa(i+1)
	}
	return nodes, nil
}

// places are where n nodes of one database stand, each with a directory of its own.
func (b *bench) places(database string, n int) ([]place, error) {
	b.prepared++
	dir := filepath.Join(b.dir, "nodes-"+strconv.Itoa(b.prepared))
	master, file := filepath.Join(dir, "master.key"), filepath.Join(dir, "database")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := seal.NewMaster(master); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(database+"\n"), 0o600); err != nil {
		return nil, err
	}
	places := make([]place, n)
	for i := range places {
		at := place{dir: filepath.Join(dir, strconv.Itoa(i+1))}
		at.store = fmt.Sprintf("master_key_file: %s\nstore: {postgres_file: %s}\nmax_nodes: %d\nnode: node-%d\n", master, file, n, i+1)
		if err := os.Mkdir(at.dir, 0o700); err != nil {
			return nil, err
		}
		var err error
		if at.address, err = freeAddress(); err != nil {
			return nil, err
		}
		places[i] = at
	}
	for i := range places[1:] {
		places[0].further = append(places[0].further, places[i+1].address)
	}
	return places, nil
}
