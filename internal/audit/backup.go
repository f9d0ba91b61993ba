package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/postern-dev/postern/internal/domain"
)

// Backup writes all changes up to this moment and all activity, as they are stored: one JSON
// object a line, from which VerifyBackup tells without a server whether they are whole. No
// secret and no hash of one is in it.
func Backup(ctx context.Context, w io.Writer, feed Feed, batches Batches) error {
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	head, err := feed.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the feed: %w", err)
	}
	if err := lines.Encode(line{Begin: &begin{Format: backupFormat, Time: head.Now.UTC(), Incarnation: head.Incarnation}}); err != nil {
		return err
	}
	var last end
	head, err = eachChange(ctx, feed, func(c domain.Change) error {
		last.Changes++
		return lines.Encode(line{Change: rowOfChange(&c)})
	})
	if err != nil {
		return err
	}
	last.Last, last.Hash = int64(head.Seq), head.Hash
	err = batches.EachBatch(ctx, func(b Batch, rows []domain.Entry) error {
		last.Batches++
		last.Entries += int64(len(rows))
		return lines.Encode(line{Batch: rowOfBatch(&b, rows)})
	})
	if err != nil {
		return err
	}
	if err := lines.Encode(line{End: &last}); err != nil {
		return err
	}
	return out.Flush()
}
