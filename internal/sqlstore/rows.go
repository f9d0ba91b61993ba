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
	var r row
	var id sql.RawBytes
	var correlation, details sql.NullString
	var loose [len(r.numbers)]sql.NullInt64
	into := []any{&id, &correlation, &details}
	for i := range loose {
		into = append(into, &loose[i])
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	if copy(r.id[:], id) != len(r.id) || len(id) != len(r.id) {
		return nil, fmt.Errorf("an event id of %d bytes", len(id))
	}
	for i := range loose {
		r.numbers[i] = loose[i].Int64 // NULL is 0
		if loose[i].Valid && loose[i].Int64 == 0 {
			r.numbers[i] = nowhere
		}
	}
	r.correlation, r.details = correlation.String, details.String
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
		list = append(list, row{})
		if err := list[len(list)-1].read(line); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// read reads the hexadecimal id, the numbers, each behind a comma and absent where there
// is none, and a JSON array of the two texts, absent where there are none.
func (r *row) read(line []byte) error {
	const digits = 2 * len(r.id)
	if len(line) <= digits || line[digits] != ',' {
		return fmt.Errorf("%w: a row of activity whose event id has not %d bytes", audit.ErrBroken, len(r.id))
	}
	if _, err := hex.Decode(r.id[:], line[:digits]); err != nil {
		return fmt.Errorf("an event id: %w", err)
	}
	n := -1
	for line = line[digits:]; len(line) > 0 && line[0] != '['; line = line[1:] {
		switch c := line[0]; {
		case c == ',' && n < len(r.numbers)-1:
			n++
		case c == '0' && r.numbers[n] == 0:
			r.numbers[n] = nowhere
		case c >= '0' && c <= '9' && r.numbers[n] != nowhere:
			r.numbers[n] = r.numbers[n]*10 + int64(c-'0')
		default: // no number is negative: it would refer to nothing
			return fmt.Errorf("%w: %q in a row of activity", audit.ErrBroken, c)
		}
	}
	if len(line) > 0 {
		texts := [2]*string{&r.correlation, &r.details}
		if err := json.Unmarshal(line, &texts); err != nil {
			return fmt.Errorf("the texts of a row of activity: %w", err)
		}
	}
	return nil
}
