package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Checkpoint returns the key that signs checkpoints of the audit trail, and makes it where
// there is none. It is of the installation and of no issuer: its issuer is empty, so that its
// kids are a space of their own and it stands in no JWK set. Nodes that ask at the same
// moment get the same one.
func Checkpoint(ctx context.Context, store domain.Store, ring *seal.Ring, now time.Time) (domain.Key, error) {
	found, err := checkpointKey(ctx, store.Read())
	if err != nil || found != nil {
		return value(found), err
	}
	_, err = store.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
		if found, err = checkpointKey(ctx, t); err != nil || found != nil {
			return nil, err
		}
		none := &domain.Issuer{Algorithm: string(jwt.EdDSA)}
		made, err := MakeFor(domain.PurposeCheckpoint, none, ring, now, now)
		if err != nil {
			return nil, err
		}
		found = &made
		_, err = t.Keys.Put(ctx, made, 0)
		return []domain.Change{{Kind: made.Kind(), Key: made.Key(), Action: "key.create"}}, err
	})
	if err != nil {
		return domain.Key{}, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	return value(found), nil
}

func checkpointKey(ctx context.Context, t domain.Tables) (*domain.Key, error) {
	list, err := t.Keys.List(ctx, domain.Page{Prefix: "/"})
	if err != nil {
		return nil, fmt.Errorf("read the key of checkpoints: %w", err)
	}
	for i := range list {
		if list[i].Purpose == domain.PurposeCheckpoint {
			return &list[i], nil
		}
	}
	return nil, nil //nolint:nilnil // absence is no error here
}

func value(k *domain.Key) domain.Key {
	if k == nil {
		return domain.Key{}
	}
	return *k
}
