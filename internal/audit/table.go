package audit

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Format of an export.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson" // one item a line, as JSON
	CSV    Format = "csv"    // RFC 4180, with a line of names
)

// Media is the media type.
func (f Format) Media() string {
	if f == CSV {
		return "text/csv; charset=utf-8; header=present" // RFC 4180 §3
	}
	return "application/x-ndjson"
}

// Table is how items stand in a file: as NDJSON each is a line of JSON, as CSV a row of these
// columns, each a Cell.
type Table[T any] struct {
	Columns []string
	Row     func(*T) []string
}

// Writer returns what writes a page of items in the format, and passes it on.
func (t Table[T]) Writer(w io.Writer, format Format) (func([]T) error, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	switch format {
	case NDJSON:
		var text bytes.Buffer
		line := json.NewEncoder(&text)
		line.SetEscapeHTML(false)
		// What some take for a line end too stands in strings only, as it came (D-108).
		ends := strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`)
		return func(page []T) error {
			for i := range page {
				text.Reset()
				if err := line.Encode(&page[i]); err != nil {
					return err
				}
				_, _ = ends.WriteString(out, text.String()) // Flush tells
			}
			return out.Flush()
		}, nil
	case CSV:
		rows := csv.NewWriter(out)
		rows.UseCRLF = true
		_ = rows.Write(t.Columns) // Error keeps it
		return func(page []T) error {
			for i := range page {
				_ = rows.Write(cells(t.Row(&page[i])))
			}
			if rows.Flush(); rows.Error() != nil {
				return rows.Error()
			}
			return out.Flush()
		}, nil
	}
	return nil, fmt.Errorf("%q is no format of an export: ndjson or csv", format)
}

// cells makes each text a Cell.
func cells(row []string) []string {
	for n := range row {
		row[n] = Cell(row[n])
	}
	return row
}
