package oauth

import (
	"errors"
	"slices"
	"strings"
)

// ErrScopeSyntax is returned for a scope that RFC 6749 §3.3 does not allow.
var ErrScopeSyntax = errors.New("scope is not a list of tokens separated by single spaces")

// Scope is a set of scope tokens in the order they were given (RFC 6749 §3.3).
type Scope []string

// ParseScope reads the wire form: tokens of printable ASCII without `"` and
// `\`, separated by one space each. A token given twice counts once. The empty
// string is the empty scope.
func ParseScope(s string) (Scope, error) {
	if s == "" {
		return nil, nil
	}
	scope := make(Scope, 0, 1+strings.Count(s, " "))
	for token := range strings.SplitSeq(s, " ") {
		if !ValidScopeToken(token) {
			return nil, ErrScopeSyntax
		}
		if !slices.Contains(scope, token) {
			scope = append(scope, token)
		}
	}
	return scope, nil
}

// ValidScopeToken reports whether s is a scope-token of RFC 6749 §3.3.
func ValidScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// Contains reports whether the scope holds the token.
func (s Scope) Contains(token string) bool { return slices.Contains(s, token) }

// String is the wire form.
func (s Scope) String() string { return strings.Join(s, " ") }
