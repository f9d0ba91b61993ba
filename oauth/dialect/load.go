package dialect

import (
	"reflect"
	"time"
)

// Load reads a dialect file and fills in what it leaves out. The name of the
// file is for messages only. Whatever is wrong with it comes back at once, as a
// *FileError. A Dialect is made here and nowhere else, and is not changed
// afterwards; it may be used by many goroutines.
func Load(file string, data []byte) (*Dialect, error) {
	p := &problems{file: file, lines: make(map[string]int)}
	top := p.parse(data)
	if top == nil {
		return nil, p.err()
	}
	d := new(Dialect)
	p.read(top, "", reflect.ValueOf(d).Elem())
	d.fill()
	p.check(d)
	if err := p.err(); err != nil {
		return nil, err
	}
	d.prepare()
	return d, nil
}

// DefaultLifetime of access tokens for which the client has no other.
func (d *Dialect) DefaultLifetime() time.Duration {
	return time.Duration(d.Server.Lifetime.Default) * time.Second
}
