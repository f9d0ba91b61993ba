package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
)

const glossaryTexts = 1 << 15 // texts that are remembered at most

// selectTexts reads internChunk texts.
func selectTexts(anonymous bool) string {
	return `SELECT id, value FROM interned WHERE id IN (` + placeholders(1, internChunk, anonymous) + `)`
}

// glossary knows the texts of numbers that were read lately. A number is never given to
// another text, save where a database is replaced by another: begin.
type glossary struct {
	lookup string

	mu    sync.RWMutex
	era   string
	known map[int64]string
}

func newGlossary(anonymous bool) *glossary {
	return &glossary{lookup: selectTexts(anonymous), known: map[int64]string{}}
}

// begin forgets all texts of another era.
func (g *glossary) begin(era string) {
	g.mu.RLock()
	same := g.era == era
	g.mu.RUnlock()
	if same {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.era, g.known = era, map[int64]string{}
}

// entries puts the texts into rows and appends their entries to list.
func (g *glossary) entries(ctx context.Context, q querier, rows []row, list []domain.Entry) ([]domain.Entry, error) {
	texts, err := g.texts(ctx, q, rows)
	if err != nil {
		return nil, fmt.Errorf("texts of activity: %w", err)
	}
	var last [textsOfRow]int64 // in many columns the next row has the same
	var t [textsOfRow]string
	for i := range rows {
		r := &rows[i]
		for column, n := range r.numbers[:textsOfRow] {
			if n != last[column] {
				last[column], t[column] = n, texts[n]
			}
		}
		list = append(list, domain.Entry{
			ID: r.id, Action: domain.Action(t[0]), Issuer: t[1], Client: t[2], SecretID: t[3], Scope: t[4], Source: t[5], Reason: t[6],
			Resource: t[7], Tenant: t[8], Actor: t[9], Correlation: r.correlation, Details: r.details,
			Count: uint32(max(r.numbers[countOfRow], 1)), //nolint:gosec // it was one when it was written
		})
	}
	return list, nil
}

// texts are those of all numbers in rows. One that no text has is absent: verification finds
// what refers to it.
func (g *glossary) texts(ctx context.Context, q querier, rows []row) (map[int64]string, error) {
	known := make(map[int64]string, len(rows))
	var missing []int64
	var last [textsOfRow]int64
	g.mu.RLock()
	era := g.era
	for i := range rows {
		for column, n := range rows[i].numbers[:textsOfRow] {
			if n == last[column] {
				continue
			}
			last[column] = n
			if _, ok := known[n]; ok || n == 0 {
				continue
			}
			text, ok := g.known[n]
			if !ok {
				missing = append(missing, n)
			}
			known[n] = text
		}
	}
	g.mu.RUnlock()
	for chunk := range slices.Chunk(missing, internChunk) {
		if err := g.read(ctx, q, chunk, known); err != nil {
			return nil, err
		}
	}
	g.keep(era, missing, known)
	return known, nil
}

// read looks texts up.
func (g *glossary) read(ctx context.Context, q querier, numbers []int64, known map[int64]string) error {
	args := make([]any, internChunk)
	for i := range args {
		args[i] = numbers[min(i, len(numbers)-1)]
	}
	rows, err := q.query(ctx, g.lookup, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var n int64
		var text string
		if err := rows.Scan(&n, &text); err != nil {
			return err
		}
		known[n] = text
	}
	return rows.Err()
}

// keep remembers what was read.
func (g *glossary) keep(era string, numbers []int64, known map[int64]string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.era != era {
		return
	}
	for _, n := range numbers {
		if len(g.known) >= glossaryTexts {
			clear(g.known) // the few that are used always are soon back
		}
		if known[n] != "" {
			g.known[n] = known[n]
		}
	}
}
