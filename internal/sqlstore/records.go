package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// The statements of records. Times are in microseconds of the Unix epoch.
const (
	getRecord   = `SELECT value FROM record WHERE space = $1 AND key = $2 AND expires > $3`
	addRecord   = `INSERT INTO record (space, key, value, expires) VALUES ($1, $2, $3, $4) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE record.expires <= $5`
	setRecord   = `INSERT INTO record (space, key, value, expires) VALUES ($1, $2, $3, $4) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`
	putReceipt  = `INSERT INTO record (space, key, value, expires) VALUES ($1, $2, $3, $4) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE record.value IN ($5, excluded.value)`
	takeRecord  = `DELETE FROM record WHERE space = $1 AND key = $2 AND expires > $3 RETURNING value`
	dropRecord  = `DELETE FROM record WHERE space = $1 AND key = $2`
	sweepRecord = `DELETE FROM record WHERE expires <= $1`
)

var _ domain.Records = (*Store)(nil)

// Record is described at domain.Records.
func (s *Store) Record(ctx context.Context, space, key string, now time.Time) (value []byte, err error) {
	if !storable(key) {
		return nil, domain.ErrNotFound
	}
	if err := s.read.row(ctx, getRecord, []any{space, key, now.UnixMicro()}, &value); err != nil {
		return nil, fmt.Errorf("record of %s: %w", space, err)
	}
	return value, nil
}

// AddRecord is described at domain.Records.
func (s *Store) AddRecord(ctx context.Context, space, key string, value []byte, now, expires time.Time) error {
	return s.writeRecord(ctx, space, domain.ErrExists, addRecord, space, key, value, expires.UnixMicro(), now.UnixMicro())
}

// SetRecord is described at domain.Records.
func (s *Store) SetRecord(ctx context.Context, space, key string, value []byte, expires time.Time) error {
	return s.writeRecord(ctx, space, domain.ErrConflict, setRecord, space, key, value, expires.UnixMicro())
}

// PutReceipt is described at domain.Records.
func (s *Store) PutReceipt(ctx context.Context, r domain.Receipt) error {
	return s.writeRecord(ctx, r.Space, domain.ErrTaken, putReceipt, receiptArgs(r)...)
}

func receiptArgs(r domain.Receipt) []any {
	return []any{r.Space, r.Key, r.Value, r.Expires.UnixMicro(), r.Before}
}

// leave writes the receipt that changes under ctx leave, if they leave one.
func (t *tx) leave(ctx context.Context) error {
	r, ok := domain.ReceiptOf(ctx)
	if !ok {
		return nil
	}
	n, err := t.exec(ctx, putReceipt, receiptArgs(r)...)
	if err == nil && n == 0 {
		err = domain.ErrTaken
	}
	if err != nil {
		return fmt.Errorf("record of %s: %w", r.Space, err)
	}
	return nil
}

// writeRecord runs a statement; none is the error where it touched no row.
func (s *Store) writeRecord(ctx context.Context, space string, none error, text string, args ...any) error {
	result, err := s.cfg.Writer.ExecContext(ctx, text, args...)
	var n int64
	if err == nil {
		n, err = result.RowsAffected()
	}
	if err == nil && n == 0 {
		err = none
	}
	if err != nil {
		return fmt.Errorf("record of %s: %w", space, err)
	}
	return nil
}

// TakeRecord is described at domain.Records.
func (s *Store) TakeRecord(ctx context.Context, space, key string, now time.Time) (value []byte, err error) {
	if !storable(key) {
		return nil, domain.ErrNotFound
	}
	if err := found(s.cfg.Writer.QueryRowContext(ctx, takeRecord, space, key, now.UnixMicro()).Scan(&value)); err != nil {
		return nil, fmt.Errorf("record of %s: %w", space, err)
	}
	return value, nil
}

// DropRecord is described at domain.Records.
func (s *Store) DropRecord(ctx context.Context, space, key string) error {
	if _, err := s.cfg.Writer.ExecContext(ctx, dropRecord, space, key); err != nil {
		return fmt.Errorf("record of %s: %w", space, err)
	}
	return nil
}

// SweepRecords is described at domain.Records.
func (s *Store) SweepRecords(ctx context.Context, now time.Time) (int64, error) {
	result, err := s.cfg.Writer.ExecContext(ctx, sweepRecord, now.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("sweep records: %w", err)
	}
	return result.RowsAffected()
}
