package declare

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// Options say whose objects are applied, and what may be done to those of others.
type Options struct {
	// Set is the name of the set: each object is its own from then on, with the origin
	// Set/file. Empty: nobody's; then what is of a set already is left as it is.
	Set string
	// TakeOver makes also what is of another set this one's; otherwise it is refused.
	TakeOver bool
	// Prune deletes what is of the set and in its files no more, and nothing else.
	Prune bool
	// PruneAll lets Prune do so where the files hold no object at all.
	PruneAll bool
}

// ErrNothingLeft is returned where Prune would delete a whole set.
var ErrNothingLeft = errors.New("the files hold no object, and prune would delete all of the set; if that is meant, say prune-all")

var setForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// SetOf is the name of the set that a directory holds where none is given: its own, in
// lower case, with a `-` for everything that is neither letter nor digit.
func SetOf(dir string) (string, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(filepath.Base(full))), "-")
	if name = strings.Trim(name[:min(len(name), 63)], "-"); name == "" {
		return "", fmt.Errorf("the name of %s holds no letter and no digit, so the set has no name", full)
	}
	return name, nil
}

// problems lists what is wrong with the options.
func (o Options) problems() error {
	switch {
	case o.Set != "" && !setForm.MatchString(o.Set):
		return domain.AsError("set", []domain.Problem{{Field: "set", Message: fmt.Sprintf("%q is no name of a set: 1 to 63 lower case letters, digits and -, as in core", o.Set)}})
	case o.Set == "" && (o.Prune || o.TakeOver):
		return domain.AsError("set", []domain.Problem{{Field: "set", Message: "is missing; name the set whose objects are meant"}})
	}
	return nil
}

// origin is where an object of the file comes from.
func (o Options) origin(file string) string {
	if o.Set == "" {
		return ""
	}
	return o.Set + "/" + file
}

// whose is the set and the file of an origin.
func whose(origin string) (set, file string) {
	set, file, ok := strings.Cut(origin, "/")
	if !ok { // applied before there were sets
		return "", origin
	}
	return set, file
}
