// Package strictjson reads JSON that comes from outside (RFC 8259) without the
// kindness of encoding/json: names are compared exactly, a name occurs once in
// its object however it is escaped, text is valid UTF-8 without lone
// surrogates, nesting is bounded, and nothing follows the value. Two readers of
// the same bytes can then not understand them differently. What it writes,
// strings, any reader understands alike.
//
// How much is read is the business of the caller.
package strictjson

import "errors"

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 32

// What can be wrong with a document. No error carries text of the document.
var (
	ErrSyntax        = errors.New("not valid JSON")
	ErrDepth         = errors.New("JSON is nested too deeply")
	ErrValues        = errors.New("JSON has too many values")
	ErrDuplicate     = errors.New("JSON object has a member twice")
	ErrNotObject     = errors.New("JSON value is not an object")
	ErrNotString     = errors.New("JSON member is not a string")
	ErrUnknownMember = errors.New("JSON object has a member that is not known here")
)
