package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// What a caller is refused, to be tested with errors.Is.
var (
	// ErrForbidden: the caller lacks the right; the text says which.
	ErrForbidden = errors.New("not allowed")
	// ErrNotFresh is an ErrForbidden too: a platform admin may, after a new sign-in.
	ErrNotFresh = fmt.Errorf("%w: sign in anew, or use a token with the scope %s", ErrForbidden, domain.ScopePlatform)
	// ErrDeclared: the object came from a file and is changed there.
	ErrDeclared = errors.New("comes from a file")
)

// As is a registry that does what the caller may do and sees what the caller may see
// (D-101, D-102). A registry on which As was not called is Postern itself. What the caller
// may not see is the same domain.ErrNotFound as what is not there.
func (r *Registry) As(c domain.Caller) *Registry {
	one := *r
	one.caller, one.operations = &c, Operations()
	return &one
}

// From is a registry that changes what came from files of the set: objects whose origin is
// `<set>/<file>`. What has no origin yet it may give one. A caller needs Platform for it.
func (r *Registry) From(set string) *Registry {
	one := *r
	one.set = set
	return &one
}

// May reports whether the caller may do what another package does; only its Name counts.
// Where the operation is not in Operations nobody may.
func (r *Registry) May(op Operation) error {
	table := r.operations
	if table == nil {
		table = Operations()
	}
	for i := range table {
		if table[i].Name == op.Name {
			return table[i].check(r.caller)
		}
	}
	return fmt.Errorf("%w: there is no operation %q", ErrForbidden, op.Name)
}

// may is May for an operation in the table.
func (r *Registry) may(name string) error {
	if r.caller == nil {
		return nil
	}
	return r.May(Operation{Name: name})
}

// allow is May for a change, which is in the caller's name only.
func (r *Registry) allow(name string, by domain.Actor) error {
	if err := r.may(name); err != nil {
		return err
	}
	if r.caller != nil && by != r.caller.Actor {
		return fmt.Errorf("a change by %s for the caller %s", by, r.caller.Actor)
	}
	return nil
}

// Sees reports whether the caller may see a client of the issuer and of the tenant, or what
// happened to one; an empty tenant stands for what is of none.
func (r *Registry) Sees(issuer, tenant string) bool {
	return r.everywhere() || r.caller.Issuer(issuer) && r.caller.Tenant(tenant)
}

// Reach is where the caller may see something.
func (r *Registry) Reach() domain.Reach {
	if r.everywhere() {
		return domain.Reach{AllTenants: true, AllIssuers: true}
	}
	return r.caller.Reach
}

// everywhere reports whether nothing is hidden.
func (r *Registry) everywhere() bool {
	return r.caller == nil || r.caller.Role == domain.PlatformAdmin || r.caller.AllTenants && r.caller.AllIssuers
}

func (r *Registry) seesTenant(id string) bool { return r.everywhere() || r.caller.Tenant(id) }

// seesIssuer: an issuer is no tenant's, and an auditor sees all of them.
func (r *Registry) seesIssuer(name string) bool {
	return r.everywhere() || r.caller.Role == domain.Auditor || r.caller.Issuer(name)
}

// platform reports whether the caller may change what belongs to no client.
func (r *Registry) platform() bool {
	return r.caller == nil || r.caller.Role == domain.PlatformAdmin && r.caller.Platform
}

// shown is what was read, unless the caller may not see it; then, and where there is none,
// the error is the same (D-102).
func shown[T object](v T, err error, seen func(*T) bool, key string) (T, error) {
	if err == nil && seen(&v) {
		return v, nil
	}
	var none T
	if err == nil || errors.Is(err, domain.ErrNotFound) {
		err = absent(none.Kind(), key)
	}
	return none, err
}

func absent(kind domain.Kind, key string) error {
	return fmt.Errorf("%s %q: %w", kind, key, domain.ErrNotFound)
}

// listed is a page of what the caller may see: a short one is the last.
func listed[T object](ctx context.Context, r *Registry, table domain.Table[T], page domain.Page, seen func(*T) bool) ([]T, error) {
	if r.everywhere() {
		return table.List(ctx, page)
	}
	return walked(ctx, table, page, seen)
}

// walked is a page of what is looked for, in chunks from as far as it takes.
func walked[T object](ctx context.Context, table domain.Table[T], page domain.Page, seen func(*T) bool) ([]T, error) {
	limit := page.Limit
	var list []T
	for page.Limit = chunk; ; {
		some, err := table.List(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range some {
			if seen(&some[i]) {
				list = append(list, some[i])
			}
			if limit > 0 && len(list) == limit {
				return list, nil
			}
			page.After = some[i].Key()
		}
		if len(some) < chunk {
			return list, nil
		}
	}
}

// declared is the origin that an object keeps or gets: old is what it has, want what the
// change would give it. ErrDeclared where the object is changed in a file.
func (r *Registry) declared(of object, old, want string) (string, error) {
	if r.caller == nil && r.set == "" { // Postern itself
		return cmp.Or(want, old), nil
	}
	mine := func(origin string) bool { return strings.HasPrefix(origin, r.set+"/") }
	files := r.set != "" && r.platform()
	switch {
	case old != "" && (!files || !mine(old)):
		return old, fmt.Errorf("%s %q %w: %s; change it there and apply that, or release the object", of.Kind(), of.Key(), ErrDeclared, old)
	case files && mine(want):
		return want, nil
	case files && want != "":
		return old, fmt.Errorf("%s %q: origin %q is not of the set %s", of.Kind(), of.Key(), want, r.set)
	}
	return old, nil
}
