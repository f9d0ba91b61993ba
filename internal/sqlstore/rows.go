package sqlstore

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/postern-dev/postern/internal/audit"
)

// scanRows appends what selectEntries found and closes it.
func scanRows(rows *sql.Rows, list []row) ([]row, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	scan := scanRow
	if len(columns) == 1 {
		scan = scanText
	}
	for rows.Next() {
		if list, err = scan(rows, list); err != nil {
			return nil, err
		}
	}
	return list, rows.Err()
}

// scanRow appends one row.
func scanRow(rows *sql.Rows, list []row) ([]row, error) {
	var id sql.RawBytes
	var correlation, details sql.NullString
	var loose [12]sql.NullInt64
	into := []any{&id, &correlation, &details}
	for i := range loose {
		into = append(into, &loose[i])
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	var r row
	if copy(r.entry.ID[:], id) != len(r.entry.ID) || len(id) != len(r.entry.ID) {
		return nil, fmt.Errorf("an event id of %d bytes", len(id))
	}
	var numbers [12]int64
	for i := range loose {
		numbers[i] = loose[i].Int64 // NULL is 0
	}
	r.set(&numbers)
	r.entry.Correlation, r.entry.Details = correlation.String, details.String
	return append(list, r), nil
}

// scanText appends the rows of which a text was made, one a line.
func scanText(rows *sql.Rows, list []row) ([]row, error) {
	var text sql.RawBytes
	if err := rows.Scan(&text); err != nil {
		return nil, err
	}
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		r, err := readLine(line)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// readLine reads the hexadecimal id, the numbers, each behind a comma and absent where there
// is none, and a JSON array of the two texts, absent where there are none.
func readLine(line []byte) (r row, err error) {
	const digits = 2 * len(r.entry.ID)
	if len(line) <= digits || line[digits] != ',' {
		return r, fmt.Errorf("%w: a row of activity whose event id has not %d bytes", audit.ErrBroken, len(r.entry.ID))
	}
	if _, err := hex.Decode(r.entry.ID[:], line[:digits]); err != nil {
		return r, fmt.Errorf("an event id: %w", err)
	}
	var numbers [12]int64
	n := -1
	for line = line[digits:]; len(line) > 0 && line[0] != '['; line = line[1:] {
		switch c := line[0]; {
		case c == ',' && n < len(numbers)-1:
			n++
		case c >= '0' && c <= '9':
			numbers[n] = numbers[n]*10 + int64(c-'0')
		default: // no number is negative: it would refer to nothing
			return r, fmt.Errorf("%w: %q in a row of activity", audit.ErrBroken, c)
		}
	}
	r.set(&numbers)
	if len(line) > 0 {
		texts := [2]*string{&r.entry.Correlation, &r.entry.Details}
		if err := json.Unmarshal(line, &texts); err != nil {
			return r, fmt.Errorf("the texts of a row of activity: %w", err)
		}
	}
	return r, nil
}

// set takes the numbers, in the order of entryNumbers.
func (r *row) set(numbers *[12]int64) {
	copy(r.numbers[:], numbers[:])
	r.entry.Count = uint32(max(numbers[10], 1)) //nolint:gosec // it was one when it was written
	r.other = numbers[11]
}
