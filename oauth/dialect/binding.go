package dialect

import (
	"errors"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// maxID is how long an id in a scope token may be.
const maxID = 64

var errPattern = errors.New("must be literal text around one {id:CLASS}, CLASS being hexN, uuid, digits or name, as in team_{id:hex24}")

// compile takes the pattern apart.
func (b *Binding) compile() error {
	prefix, rest, ok := strings.Cut(b.Pattern, "{id:")
	class, suffix, closes := strings.Cut(rest, "}")
	if !ok || !closes || strings.ContainsAny(prefix+class+suffix, "{}") || !idClass(class).known() {
		return errPattern
	}
	if prefix == "" || !oauth.ValidScopeToken(prefix+suffix) {
		return errPattern
	}
	b.prefix, b.suffix, b.class = prefix, suffix, idClass(class)
	return nil
}

// match reports the id in a scope token of this form. The whole token has to
// match; hexadecimal digits are lower case, so that an id has one spelling.
func (b *Binding) match(token string) (id string, ok bool) {
	id, ok = strings.CutPrefix(token, b.prefix)
	if !ok || b.class == "" {
		return "", false
	}
	id, ok = strings.CutSuffix(id, b.suffix)
	if !ok || !b.class.holds(id) {
		return "", false
	}
	return id, true
}

// hexDigits is the N of hexN, or 0.
func (c idClass) hexDigits() int {
	digits, ok := strings.CutPrefix(string(c), "hex")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > maxID || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

func (c idClass) known() bool {
	return c == "uuid" || c == "digits" || c == "name" || c.hexDigits() > 0
}

// holds reports whether id is of the class.
func (c idClass) holds(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	switch c {
	case "uuid":
		return len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' &&
			only(id, lowerHex+"-") && strings.Count(id, "-") == 4
	case "digits":
		return only(id, digit)
	case "name":
		return only(id, letters+digit+"_.-")
	}
	return len(id) == c.hexDigits() && only(id, lowerHex)
}

const (
	digit    = "0123456789"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	letters  = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerHex = digit + "abcdef"
)

// only reports whether s holds no other characters than those.
func only(s, chars string) bool { return strings.Trim(s, chars) == "" }
