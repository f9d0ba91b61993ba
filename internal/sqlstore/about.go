package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// lastTenant is the tenant that an object was of when it was last there.
const lastTenant = `SELECT coalesce(tenant, '') FROM change WHERE kind = $1 AND key = $2 AND object IS NOT NULL ORDER BY seq DESC LIMIT 1`

// subject is whom a change is about: columns to search by, beside what its hash covers.
type subject struct{ issuer, client, tenant string }

// about tells whom a change is about. Of what was deleted, and of a tombstone, the changes
// before tell the tenant. A migration does the same for changes that are older.
func about(ctx context.Context, c domain.Change, last tenants) (a subject, err error) {
	switch c.Kind {
	case domain.KindTenant:
		a.tenant = c.Key
	case domain.KindIssuer:
		a.issuer = c.Key
	case domain.KindKey:
		a.issuer, _, _ = strings.Cut(c.Key, "/")
	case domain.KindClient, domain.KindTombstone:
		a.issuer, a.client, _ = strings.Cut(c.Key, "/")
		a.tenant, err = tenantOf(ctx, domain.KindClient, c, last)
	case domain.KindNamedResource:
		a.tenant, err = tenantOf(ctx, c.Kind, c, last)
	}
	return a, err
}

// tenantOf is the tenant of a client or a resource.
func tenantOf(ctx context.Context, kind domain.Kind, c domain.Change, last tenants) (string, error) {
	if c.Object != nil && c.Kind == kind {
		var object struct {
			Tenant string `json:"tenant"`
		}
		if err := json.Unmarshal(c.Object, &object); err != nil {
			return "", fmt.Errorf("tenant of %s %q: %w", c.Kind, c.Key, err)
		}
		return object.Tenant, nil
	}
	return last(ctx, kind, c.Key)
}

// tenants tell the tenant that an object was of when it was last there; "" where it never was.
type tenants func(ctx context.Context, kind domain.Kind, key string) (string, error)

// lastTenant asks the changes before.
func (t *tx) lastTenant(ctx context.Context, kind domain.Kind, key string) (tenant string, err error) {
	err = t.row(ctx, lastTenant, []any{string(kind), key}, &tenant)
	if errors.Is(err, domain.ErrNotFound) {
		return "", nil
	}
	return tenant, err
}
