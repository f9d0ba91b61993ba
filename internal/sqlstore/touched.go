package sqlstore

import (
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// touched remembers what a transaction put and deleted, in order.
type touched struct {
	objects map[object][]step
}

type object struct {
	kind domain.Kind
	key  string
}

// step is one put, or one delete: version 0 and no doc.
type step struct {
	version int64
	doc     string
}

func (t *touched) add(kind domain.Kind, key string, s step) {
	o := object{kind, key}
	t.objects[o] = append(t.objects[o], s)
}

// complete fills in version and object of each change. An object needs one
// change, which then tells how it is in the end, or one for each of its steps,
// in their order; a change needs an object that was touched. All else is
// domain.ErrNoEvent.
func (t *touched) complete(changes []domain.Change) error {
	reported := map[object]int{}
	for _, c := range changes {
		reported[object{c.Kind, c.Key}]++
	}
	for o, steps := range t.objects {
		if n := reported[o]; n != 1 && n != len(steps) {
			return fmt.Errorf("%w: %s %q: %d steps, %d changes reported", domain.ErrNoEvent, o.kind, o.key, len(steps), n)
		}
	}
	next := map[object]int{}
	for i := range changes {
		c := &changes[i]
		o := object{c.Kind, c.Key}
		steps := t.objects[o]
		if len(steps) == 0 {
			return fmt.Errorf("%w: %s %q: %q reported, nothing changed", domain.ErrNoEvent, c.Kind, c.Key, c.Action)
		}
		if c.Action == "" {
			return fmt.Errorf("%w: %s %q: a change without an action", domain.ErrNoEvent, c.Kind, c.Key)
		}
		s := steps[len(steps)-1]
		if reported[o] == len(steps) {
			s = steps[next[o]]
			next[o]++
		}
		c.Version, c.Object = s.version, nil
		if s.version > 0 {
			c.Object = []byte(s.doc)
		}
	}
	return nil
}
