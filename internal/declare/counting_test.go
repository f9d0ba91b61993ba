package declare_test

import (
	"context"
	"errors"

	"github.com/postern-dev/postern/internal/domain"
)

var errCommit = errors.New("the store is gone")

// counting counts the transactions of a store and fails one of them at its end.
type counting struct {
	domain.Store
	n, failAt int
}

func (s *counting) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	s.n++
	fails := s.n == s.failAt
	return s.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		changes, err := f(t)
		if err == nil && fails {
			err = errCommit
		}
		return changes, err
	})
}
