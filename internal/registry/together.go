package registry

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// Together runs f with a registry whose changes are one transaction: they commit when f
// returns nil, all or none. f returns the error of each method that fails, does no I/O
// but that registry's, and may run again.
func (r *Registry) Together(ctx context.Context, by domain.Actor, f func(*Registry) error) error {
	if err := r.allow("together", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		within := &transaction{Store: r.Store, tables: t, by: by, known: newKnown()}
		one := *r
		one.Store, one.known = within, within.known
		err := f(&one)
		return within.changes, err
	})
	return err
}

// transaction is a store within a change of another.
type transaction struct {
	domain.Store
	tables  domain.Tables
	by      domain.Actor
	known   *known
	changes []domain.Change
}

// Read returns the tables of the transaction.
func (s *transaction) Read() domain.Tables { return s.tables }

// Change runs f in the transaction; Seq is not known yet.
func (s *transaction) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	if by != s.by {
		return 0, fmt.Errorf("a change by %s in a transaction of %s", by, s.by)
	}
	changes, err := f(s.tables)
	if err != nil {
		return 0, err
	}
	s.changes = append(s.changes, changes...)
	return 0, s.known.changed(ctx, s.tables, changes)
}
