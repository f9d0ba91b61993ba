package sqlstore

import (
	"cmp"
	"strconv"
	"strings"
)

// texts are the long statements of activity, put together once.
type texts struct {
	lookup string // finds internChunk interned texts
	one    string // inserts a row of activity
	many   string // inserts rowChunk rows
	plain  string // inserts rowChunk rows of which only the first columns are not NULL

	rows string // reads the entries of a batch

	oneUse, manyUses string // write the last use of a secret, and of usedChunk secrets
}

func newTexts(cfg Config) texts {
	insert := cmp.Or(cfg.Insert, "INSERT")
	return texts{
		lookup: `SELECT value, id FROM interned WHERE value IN (` + placeholders(1, internChunk, cfg.Anonymous) + `)`,
		one:    insertRows(insert, activityColumns, 1, cfg.Anonymous),
		many:   insertRows(insert, activityColumns, rowChunk, cfg.Anonymous),
		plain:  insertRows(insert, plainColumns, rowChunk, cfg.Anonymous),
		rows:   selectEntries(cfg.OneText, ofBatch),
		oneUse: writeUsed(1, cfg.Anonymous), manyUses: writeUsed(usedChunk, cfg.Anonymous),
	}
}

// The columns of activity; the first are all that most rows have.
const (
	plainColumns    = `id, batch, action, issuer, client, secret, scope, source, tenant`
	activityColumns = plainColumns + `, reason, correlation, count, resource, actor, details, other`
)

func insertRows(insert, columns string, n int, anonymous bool) string {
	width := strings.Count(columns, ",") + 1
	var b strings.Builder
	b.WriteString(insert + ` INTO activity (` + columns + `) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + placeholders(1+i*width, width, anonymous) + ")")
	}
	return b.String()
}

// placeholders are `$first, …`, or as many `?`.
func placeholders(first, n int, anonymous bool) string {
	if anonymous {
		return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}
