package strictjson

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Member is one member of an object of strings.
type Member struct{ Name, Value string }

// RawMember is one member of an object, its value as it was written.
type RawMember struct {
	Name  string
	Value json.RawMessage
}

// Check reports whether data is one strict JSON value. It returns ErrSyntax,
// ErrDepth or ErrDuplicate.
func Check(data []byte) error {
	s := scanner{text: string(data)}
	return s.document(s.value)
}

// Strings reads an object whose values are all strings, and keeps their order.
// Names that differ only in case count as one here: whoever sends both wants to
// be understood in two ways. It returns ErrNotObject, ErrNotString,
// ErrDuplicate or ErrSyntax. What it returns does not share memory with data.
func Strings(data []byte) ([]Member, error) {
	s := scanner{text: string(data)}
	members := make([]Member, 0, 6)
	err := s.document(func() error {
		return s.object(func(name string) error {
			switch c := s.peek(); {
			case c == '"':
			case c == 0:
				return ErrSyntax
			default:
				return ErrNotString
			}
			value, err := s.str()
			// Cloned, so that a name kept for long does not keep a secret
			// that stood beside it.
			members = append(members, Member{Name: strings.Clone(name), Value: strings.Clone(value)})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return members, foldedTwice(members)
}

func foldedTwice(members []Member) error {
	if len(members) <= few {
		for i := range members {
			for j := range i {
				if strings.EqualFold(members[i].Name, members[j].Name) {
					return ErrDuplicate
				}
			}
		}
		return nil
	}
	var seen names
	var open []string
	for _, m := range members {
		if !seen.add(&open, fold(m.Name)) {
			return ErrDuplicate
		}
	}
	return nil
}

// Text is the value of a member, which Object has checked, as a string. It returns
// ErrNotString.
func (m *RawMember) Text() (string, error) {
	if m.Value[0] != '"' {
		return "", ErrNotString
	}
	text := m.Value[1 : len(m.Value)-1]
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text), nil
	}
	return unescape(string(text)), nil
}

// Object reads an object of any members, and keeps their order. The values are
// checked like the whole; what they hold is left to the caller. They share memory with data.
func Object(data []byte) ([]RawMember, error) {
	s := scanner{text: string(data)}
	members := make([]RawMember, 0, 4)
	err := s.document(func() error {
		return s.object(func(name string) error {
			start := s.at
			err := s.value()
			members = append(members, RawMember{Name: name, Value: json.RawMessage(data[start:s.at:s.at])})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return members, nil
}

// String reads a JSON string.
func String(data []byte) (string, error) {
	s := scanner{text: string(data)}
	var value string
	err := s.document(func() (err error) {
		if s.peek() != '"' {
			return ErrNotString
		}
		value, err = s.str()
		return err
	})
	if err != nil {
		return "", err
	}
	return value, nil
}
