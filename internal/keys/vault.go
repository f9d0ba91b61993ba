package keys

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
)

// Vault is the opened vault of an installation.
type Vault struct {
	Ring    *seal.Ring      // seals signing keys
	Peppers *secret.Peppers // hash client secrets
}

// OpenVault opens the vault in the store, and makes it where there is none. Its
// data key is the canary: with another master key the answer is
// seal.ErrWrongMasterKey, at start, rather than a refusal to every client.
func OpenVault(ctx context.Context, store domain.Store, master seal.Master, now time.Time) (*Vault, error) {
	list, err := store.Read().Vault.List(ctx, domain.Page{})
	if err != nil {
		return nil, fmt.Errorf("read the vault: %w", err)
	}
	if len(list) == 0 {
		list, err = makeVault(ctx, store, master, now)
		if errors.Is(err, domain.ErrExists) { // by another node, which started at the same moment
			list, err = store.Read().Vault.List(ctx, domain.Page{})
		}
		if err != nil {
			return nil, fmt.Errorf("make the vault: %w", err)
		}
	}
	v := &Vault{Ring: seal.NewRing(), Peppers: secret.NewPeppers()}
	for _, k := range list {
		if k.Purpose != domain.VaultData {
			continue
		}
		key, err := master.OpenKey(k.ID, k.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open data key %s: %w", k.ID, err)
		}
		if err := v.Ring.Add(k.ID, key, k.Current); err != nil {
			return nil, fmt.Errorf("data key %s: %w", k.ID, err)
		}
	}
	for _, k := range list {
		if k.Purpose != domain.VaultPepper {
			continue
		}
		key, err := v.Ring.Open(pepperContext(k.ID), k.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open pepper %s: %w", k.ID, err)
		}
		if err := v.Peppers.Add(k.ID, key, k.Current); err != nil {
			return nil, fmt.Errorf("pepper %s: %w", k.ID, err)
		}
	}
	_, data := v.Ring.Current()
	if _, pepper := v.Peppers.Current(); !data || !pepper {
		return nil, ErrVault
	}
	return v, nil
}

// ErrVault is returned for a vault without a data key or a pepper to make new
// things with.
var ErrVault = errors.New("the vault lacks a current data key or pepper")

func pepperContext(id string) []string { return []string{string(domain.VaultPepper), id} }

// makeVault makes the first data key and the first pepper.
func makeVault(ctx context.Context, store domain.Store, master seal.Master, now time.Time) ([]domain.VaultKey, error) {
	dataID, data := "d1", randomKey()
	pepperID, pepper := "p1", randomKey()
	ring := seal.NewRing()
	if err := ring.Add(dataID, data, true); err != nil {
		return nil, err
	}
	sealedData, err := master.SealKey(dataID, data)
	if err != nil {
		return nil, err
	}
	sealedPepper, err := ring.Seal(pepperContext(pepperID), pepper)
	if err != nil {
		return nil, err
	}
	made := []domain.VaultKey{
		{ID: dataID, Purpose: domain.VaultData, Created: now.UTC(), Current: true, Sealed: sealedData},
		{ID: pepperID, Purpose: domain.VaultPepper, Created: now.UTC(), Current: true, Sealed: sealedPepper},
	}
	_, err = store.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
		changes := make([]domain.Change, 0, len(made))
		for _, k := range made {
			if _, err := t.Vault.Put(ctx, k, 0); err != nil {
				return nil, err
			}
			changes = append(changes, domain.Change{Kind: k.Kind(), Key: k.Key(), Action: "vault.create"})
		}
		return changes, nil
	})
	return made, err
}

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return key
}
