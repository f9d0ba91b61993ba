package sample

import (
	"net/http"
	"slices"
	"sync"
)

// owned are things of which each is one tenant's.
type owned[T any] struct {
	noun, plural string // of the things, in answers; noun is their id in paths too
	key          func(*T) (id, tenant string)

	mu   sync.Mutex
	list []T
	made int
}

// all answers the caller's own, in the order in which they were made.
func (o *owned[T]) all(r *http.Request) (int, any, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, nil, f
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	found := []T{}
	for i := range o.list {
		if _, of := o.key(&o.list[i]); everything || of == tenant {
			found = append(found, o.list[i])
		}
	}
	return http.StatusOK, map[string]any{o.plural: found}, nil
}

func (o *owned[T]) get(r *http.Request) (int, any, *failure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, f := o.find(r)
	if f != nil {
		return 0, nil, f
	}
	return http.StatusOK, o.list[i], nil
}

// find is where the thing of the path stands, if the caller has it.
func (o *owned[T]) find(r *http.Request) (int, *failure) {
	tenant, everything, f := caller(r)
	if f != nil {
		return 0, f
	}
	want := r.PathValue(o.noun)
	i := slices.IndexFunc(o.list, func(v T) bool {
		id, of := o.key(&v)
		return id == want && (everything || of == tenant)
	})
	if i < 0 {
		return 0, notFound(o.noun, want)
	}
	return i, nil
}
