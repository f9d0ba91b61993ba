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

	rows string // reads the entries of a batch

	oneUse, manyUses string // write the last use of a secret, and of usedChunk secrets
}

func newTexts(cfg Config) texts {
	insert := cmp.Or(cfg.Insert, "INSERT")
	return texts{
		lookup: `SELECT value, id FROM interned WHERE value IN (` + placeholders(1, internChunk, cfg.Anonymous) + `)`,
		one:    insertRows(insert, 1, cfg.Anonymous), many: insertRows(insert, rowChunk, cfg.Anonymous),
		rows:   selectEntries(cfg.OneText, ofBatch),
		oneUse: writeUsed(1, cfg.Anonymous), manyUses: writeUsed(usedChunk, cfg.Anonymous),
	}
}

const activityColumns = `id, batch, action, issuer, client, secret, scope, source, reason, correlation, count, resource, tenant, actor, details, other`

func insertRows(insert string, n int, anonymous bool) string {
	var b strings.Builder
	b.WriteString(insert + ` INTO activity (` + activityColumns + `) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + placeholders(1+i*rowColumns, rowColumns, anonymous) + ")")
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
