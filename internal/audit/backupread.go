package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictjson"
)

// VerifyBackup reads what Backup wrote and verifies it, without a store. The error is one of
// reading, or wraps ErrBackup; what is broken stands in the report.
func VerifyBackup(r io.Reader, checkpoints ...Checkpoint) (Report, error) {
	v := NewVerifier(checkpoints...)
	in := bufio.NewReaderSize(r, 1<<20)
	f := &backupFile{v: v}
	for {
		text, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.report, fmt.Errorf("line %d: %w", f.n+1, err)
		}
		if err := f.take(text); err != nil {
			return v.report, fmt.Errorf("line %d: %w", f.n, err)
		}
	}
	f.finish()
	return v.Report(), nil
}

// readLine reads one line of at most maxLine bytes.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrBackup, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(text) > 0:
			return text, nil
		}
		return bytes.TrimSuffix(text, []byte("\n")), err
	}
}

// backupFile is a backup in the course of being read.
type backupFile struct {
	v     *Verifier
	n     int // lines
	begin *begin
	end   *end
	past  bool // changes are over: activity has begun
}

func (f *backupFile) take(text []byte) error {
	f.n++
	var l line
	if err := strictjson.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("%w: %w", ErrBackup, err)
	}
	switch {
	case f.begin == nil && (l.Begin == nil || l.Begin.Format != backupFormat):
		return fmt.Errorf("%w: it does not begin as one of format %d does", ErrBackup, backupFormat)
	case f.begin == nil:
		f.begin = l.Begin
	case f.end != nil:
		return fmt.Errorf("%w: something follows its end", ErrBackup)
	case l.Change != nil && !f.past:
		f.v.Change(l.Change.change())
	case l.Batch != nil:
		f.past = true
		b, rows, err := l.Batch.batch()
		if err != nil {
			return fmt.Errorf("%w: batch %d of node %q: %w", ErrBackup, l.Batch.N, l.Batch.Node, err)
		}
		f.v.Batch(b, rows)
	case l.End != nil:
		f.end = l.End
	default:
		return fmt.Errorf("%w: a line that does not belong there", ErrBackup)
	}
	return nil
}

// finish holds what the ends of the file say against what was in it.
func (f *backupFile) finish() {
	r := &f.v.report
	if f.begin == nil {
		f.v.problem("", 0, "the file is empty")
		return
	}
	if f.end == nil {
		f.v.problem("", 0, "the file ends before its end: it was cut off, or never written to the end")
		return
	}
	f.v.Head(domain.Head{Seq: domain.Seq(f.end.Last), Hash: f.end.Hash})
	if f.end.Changes != r.Changes || f.end.Batches != r.Batches || f.end.Entries != r.Entries {
		f.v.problem("", 0, "the file had %d changes, %d batches and %d entries, and has %d, %d and %d", f.end.Changes, f.end.Batches, f.end.Entries, r.Changes, r.Batches, r.Entries)
	}
}
