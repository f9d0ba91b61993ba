// Package registry is what an administrator does: the one place that changes
// tenants, issuers, APIs, policies, tiers, clients and signing keys. Each method is one transaction
// with a change for each object it touched, checks the whole object, and raises
// a client's epoch wherever its tokens must die (DESIGN §7).
//
// What a caller may do, and what it sees, is decided here and nowhere else (As, Operations);
// how it was recognised is the business of signin, how it is answered that of admin.
package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Registry changes domain data. Every method may be called concurrently.
type Registry struct {
	Store      domain.Store
	Dialects   dialect.Set
	Vault      *keys.Vault
	AllowHS256 bool // issuers of dialects that are the user's own may sign with HS256
	Now        func() time.Time
	Uses       Uses // of secrets; nil: not recorded

	caller     *domain.Caller // nil: Postern itself
	operations []Operation    // what As found in the table
	set        string         // whose objects may be changed though they came from files; empty: no set's
	known      *known         // within one transaction, else nil
}

// now is the time in the form in which objects keep it.
func (r *Registry) now() time.Time { return r.Now().UTC().Truncate(time.Millisecond) }

// dialect is the dialect of an issuer, nil where there is none.
func (r *Registry) dialect(i *domain.Issuer) *dialect.Dialect {
	if i == nil {
		return nil
	}
	d, _ := r.Dialects.Get(i.Dialect)
	return d
}

// find gets an object, nil where there is none.
func find[T any](ctx context.Context, table domain.Table[T], key string) (*T, error) {
	v, err := table.Get(ctx, key)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil, nil //nolint:nilnil // absence is no error here
	case err != nil:
		return nil, err
	}
	return &v, nil
}

// change is the row of a put or delete.
func change(of interface {
	Kind() domain.Kind
	Key() string
}, action string) domain.Change {
	return domain.Change{Kind: of.Kind(), Key: of.Key(), Action: action}
}

func has(ctx context.Context, t domain.Tables, at Ref) (there bool, err error) {
	switch at.Kind {
	case domain.KindIssuer:
		_, err = t.Issuers.Get(ctx, at.Key)
	case domain.KindAPI:
		_, err = t.APIs.Get(ctx, at.Key)
	case domain.KindPolicy:
		_, err = t.Policies.Get(ctx, at.Key)
	case domain.KindTier:
		_, err = t.Tiers.Get(ctx, at.Key)
	default:
		return false, fmt.Errorf("nothing refers to a %s by its key", at.Kind)
	}
	if errors.Is(err, domain.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
