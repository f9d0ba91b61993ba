package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// The statements of sweeping texts. 20,000 rows are looked at by one statement, and
// sweepTexts texts removed in one transaction, while no batch is written.
const (
	sweepTexts = 2048

	lastBatchID = `SELECT coalesce(max(id), 0) FROM batch`
	newBatches  = `SELECT id, node, first, last FROM batch WHERE id > $1 ORDER BY id`
	nodeNumbers = `SELECT DISTINCT node FROM batch`
	textNumbers = `SELECT id FROM interned WHERE id > $1 AND id < (SELECT max(id) FROM interned) ORDER BY id LIMIT 10000`
	endOfRows   = `SELECT id FROM activity WHERE id > $1 ORDER BY id LIMIT 1 OFFSET 19999`
	removeText  = `DELETE FROM interned WHERE id = $1`
	textsAge    = "texts" // key of meta: another one whenever numbers of texts become void
	setTextsAge = `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
)

// numbered are the columns of activity that are numbers of texts.
func numbered() []string {
	return []string{"action", "issuer", "client", "secret", "scope", "source", "reason", "resource", "tenant", "actor"}
}

// numbersBetween reads the numbers that rows of activity refer to, each once.
func numbersBetween() string {
	var parts []string
	for _, column := range numbered() {
		parts = append(parts, `SELECT `+column+` FROM activity WHERE id > $1 AND id <= $2`)
	}
	return strings.Join(parts, ` UNION `)
}

// bitmap is a set of numbers of texts, which are dense.
type bitmap []uint64

func (b *bitmap) add(n int64) {
	if n < 0 {
		return // no text has it
	}
	for int(n/64) >= len(*b) {
		*b = append(*b, make([]uint64, len(*b)+64)...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bitmap) has(n int64) bool { return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }

// sweepTexts removes the interned texts that nothing refers to. What is used is found without
// a transaction; what came to be used meanwhile in each one that removes.
func (s *Store) sweepTexts(ctx context.Context) error {
	var mark int64
	if err := s.read.row(ctx, lastBatchID, nil, &mark); err != nil {
		return err
	}
	var used bitmap
	if err := s.usedTexts(ctx, &used); err != nil {
		return err
	}
	var unused []int64
	for after := int64(0); ; {
		page, err := s.numbers(ctx, reader{&s.read}, textNumbers, after)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, n := range page {
			if after = n; !used.has(n) {
				unused = append(unused, n)
			}
		}
	}
	for len(unused) > 0 {
		n := min(len(unused), sweepTexts)
		if err := s.removeTexts(ctx, &used, &mark, unused[:n]); err != nil {
			return err
		}
		unused = unused[n:]
	}
	return nil
}

// usedTexts adds the numbers that batches and activity refer to, by a few thousand rows.
func (s *Store) usedTexts(ctx context.Context, used *bitmap) error {
	add := func(text string, args ...any) error {
		list, err := s.numbers(ctx, reader{&s.read}, text, args...)
		for _, n := range list {
			used.add(n)
		}
		return err
	}
	if err := add(nodeNumbers); err != nil {
		return err
	}
	text := numbersBetween()
	for after := []byte{}; ; {
		var end []byte
		err := s.read.row(ctx, endOfRows, []any{after}, &end)
		last := end == nil
		if last {
			if err != domain.ErrNotFound { //nolint:errorlint // row returns it as it is
				return err
			}
			end = []byte(strings.Repeat("\xff", len(domain.EventID{})))
		}
		if err := add(text, after, end); err != nil || last {
			return err
		}
		after = end
	}
}

// numbers reads a column of numbers; NULL is none.
func (s *Store) numbers(ctx context.Context, q querier, text string, args ...any) (list []int64, err error) {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var n sql.NullInt64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		if n.Valid && n.Int64 > 0 {
			list = append(list, n.Int64)
		}
	}
	return list, rows.Err()
}

// removeTexts removes those of the texts that no batch behind mark uses, while nobody writes
// one, and voids what writers remember. The greatest number stays: it is never given twice.
func (s *Store) removeTexts(ctx context.Context, used *bitmap, mark *int64, numbers []int64) error {
	t, err := s.write.begin(ctx, nil, newBatches, s.texts.rows, setTextsAge, removeText)
	if err != nil {
		return err
	}
	defer t.Rollback() //nolint:errcheck // does nothing after Commit
	if s.cfg.NoBatches != "" {
		if _, err := t.ExecContext(ctx, s.cfg.NoBatches); err != nil {
			return fmt.Errorf("keep others from writing activity: %w", err)
		}
	}
	if *mark, err = s.useNewBatches(ctx, t, used, *mark); err != nil {
		return err
	}
	for _, n := range numbers {
		if used.has(n) {
			continue
		}
		if _, err := t.exec(ctx, removeText, n); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, setTextsAge, textsAge, rand.Text()); err != nil {
		return err
	}
	return t.Commit()
}

// useNewBatches adds the numbers that batches behind mark refer to, and returns the last of
// them.
func (s *Store) useNewBatches(ctx context.Context, t *tx, used *bitmap, mark int64) (int64, error) {
	batches, err := scanNewBatches(ctx, t, mark)
	if err != nil {
		return mark, err
	}
	for _, b := range batches {
		open, err := t.query(ctx, s.texts.rows, b.id, b.First[:], b.Last[:])
		if err != nil {
			return mark, err
		}
		rows, err := scanRows(open, nil)
		if err != nil {
			return mark, err
		}
		for i := range rows {
			for _, n := range rows[i].numbers[:textsOfRow] {
				used.add(n)
			}
		}
		used.add(b.node)
		mark = b.id
	}
	return mark, nil
}

func scanNewBatches(ctx context.Context, t *tx, mark int64) (list []stored, err error) {
	rows, err := t.query(ctx, newBatches, mark)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var b stored
		var first, last []byte
		if err := rows.Scan(&b.id, &b.node, &first, &last); err != nil {
			return nil, err
		}
		copy(b.First[:], first)
		copy(b.Last[:], last)
		list = append(list, b)
	}
	return list, rows.Err()
}
