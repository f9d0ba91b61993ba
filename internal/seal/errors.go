package seal

import "errors"

// Why something does not open or is not taken. No error carries anything of a
// key or a plaintext.
var (
	ErrWrongMasterKey = errors.New("sealed under another master key")
	ErrUnknownKey     = errors.New("sealed under a data key that is not known here")
	ErrMalformed      = errors.New("not a sealed value")
	ErrOpen           = errors.New("sealed value was changed, or belongs elsewhere")
	ErrKey            = errors.New("a key is 32 bytes, its id 1 to 64 of A-Z a-z 0-9 . - _")
	ErrNoKey          = errors.New("no data key is current")

	// Of the file of the master key; they come inside a *FileError.
	ErrPermissions = errors.New("may be read by others than its owner")
	ErrNotKeyFile  = errors.New("does not hold 32 bytes in base64")
)

// FileError is what is wrong with the file of the master key, and what to do.
type FileError struct {
	File string
	Err  error
	Hint string // one line for people; empty where there is none
}

// Error names the file and what is wrong, without the hint.
func (e *FileError) Error() string { return "master key " + e.File + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }
