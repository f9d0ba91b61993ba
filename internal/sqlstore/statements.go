package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
)

// statements are prepared once for a pool and kept; the texts are few and fixed.
type statements struct {
	db *sql.DB
	m  sync.Map // text → *sql.Stmt
}

func (p *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := p.m.Load(text); ok {
		return st.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	st, err := p.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	if other, loaded := p.m.LoadOrStore(text, st); loaded {
		_ = st.Close()                //nolint:errcheck // never used
		return other.(*sql.Stmt), nil //nolint:forcetypeassert // as above
	}
	return st, nil
}

// prepare readies what a transaction is going to use: once it has begun, a pool
// of one connection has none left to prepare with.
func (p *statements) prepare(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		if _, err := p.get(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (p *statements) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.get(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// row reads one row, or returns domain.ErrNotFound.
func (p *statements) row(ctx context.Context, text string, args []any, dest ...any) error {
	st, err := p.get(ctx, text)
	if err != nil {
		return err
	}
	return found(st.QueryRowContext(ctx, args...).Scan(dest...))
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return domain.ErrNotFound
	}
	return err
}

// tx is a transaction that uses the prepared statements of its pool.
type tx struct {
	*sql.Tx
	p     *statements
	first error // of its statements: what comes after may only say that something failed before
}

func (p *statements) begin(ctx context.Context, opt *sql.TxOptions, texts ...string) (*tx, error) {
	if err := p.prepare(ctx, texts...); err != nil {
		return nil, err
	}
	t, err := p.db.BeginTx(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &tx{Tx: t, p: p}, nil
}

func (t *tx) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	st, ok := t.p.m.Load(text)
	if !ok {
		return t.PrepareContext(ctx, text) // closed with the transaction
	}
	return t.StmtContext(ctx, st.(*sql.Stmt)), nil //nolint:forcetypeassert // nothing else is stored
}

// noted remembers the first error of a statement.
func (t *tx) noted(err error) error {
	if err != nil && t.first == nil && !errors.Is(err, domain.ErrNotFound) {
		t.first = err
	}
	return err
}

func (t *tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := t.stmt(ctx, text)
	if err != nil {
		return nil, t.noted(err)
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, t.noted(err)
}

func (t *tx) row(ctx context.Context, text string, args []any, dest ...any) error {
	st, err := t.stmt(ctx, text)
	if err != nil {
		return t.noted(err)
	}
	return t.noted(found(st.QueryRowContext(ctx, args...).Scan(dest...)))
}

// exec returns the number of rows changed.
func (t *tx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	st, err := t.stmt(ctx, text)
	if err != nil {
		return 0, t.noted(err)
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, t.noted(err)
	}
	return res.RowsAffected()
}
