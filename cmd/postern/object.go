package main

import (
	"context"

	"github.com/postern-dev/postern/internal/admin"
)

// listFlags are those of commands that list objects.
type listFlags struct {
	remote
	JSON bool `name:"json" help:"Print JSON."`
}

// oneObject is what the commands about one object that has a name have in common.
type oneObject struct {
	remote
	Name string `arg:"" help:"Its name."`
	JSON bool   `name:"json" help:"Print it as JSON."`
}

// printList prints a row for each object, or all of them for programs.
func printList[T any](s *streams, asJSON bool, list []T, head []string, row func(*T) []string) error {
	if asJSON {
		return s.json(list)
	}
	rows := [][]string{head}
	for i := range list {
		rows = append(rows, row(&list[i]))
	}
	return s.list(rows)
}

// printOne prints the rows of an object, or all of it for programs.
func printOne[T any](s *streams, asJSON bool, v T, rows func(*T) [][]string) error {
	if asJSON {
		return s.json(v)
	}
	return s.table(rows(&v))
}

// field appends a row for what is not empty.
func field(rows *[][]string, name, value string) {
	if value != "" {
		*rows = append(*rows, []string{name, value})
	}
}

// removal deletes an object, and shows once more what it was.
type removal[T any] struct {
	get    func(*admin.Conn, context.Context, string) (T, error)
	remove func(*admin.Conn, context.Context, string, int64) error
	what   func(*T) string // it is, and what its end means
}

func (r removal[T]) run(ctx context.Context, s *streams, conn *admin.Conn, key string, asJSON bool) error {
	v, err := r.get(conn, ctx, key)
	if err != nil {
		return err
	}
	if err := r.remove(conn, ctx, key, 0); err != nil {
		return err
	}
	s.say("%s", r.what(&v))
	if asJSON {
		return s.json(v)
	}
	return nil
}
