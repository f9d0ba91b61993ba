package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth/jwt"
)

// objects are all that there is but the clients.
type objects struct {
	issuers  []domain.Issuer
	tenants  []domain.Tenant
	keys     []domain.Key
	apis     []domain.API
	policies []domain.Policy
	tiers    []domain.Tier
	apiKeys  []domain.APIKey
}

func readObjects(ctx context.Context, t domain.Tables) (r objects, err error) {
	if r.issuers, err = list(ctx, t.Issuers, "issuers"); err != nil {
		return r, err
	}
	if r.tenants, err = list(ctx, t.Tenants, "tenants"); err != nil {
		return r, err
	}
	if r.keys, err = list(ctx, t.Keys, "keys"); err != nil {
		return r, err
	}
	if r.apis, err = list(ctx, t.APIs, "APIs"); err != nil {
		return r, err
	}
	if r.policies, err = list(ctx, t.Policies, "policies"); err != nil {
		return r, err
	}
	if r.tiers, err = list(ctx, t.Tiers, "tiers"); err != nil {
		return r, err
	}
	r.apiKeys, err = list(ctx, t.APIKeys, "API keys")
	return r, err
}

func list[T any](ctx context.Context, t domain.Table[T], what string) ([]T, error) {
	all, err := t.List(ctx, domain.Page{})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return all, nil
}

// load reads a new view from the store: whole, or not at all. Keys that the earlier view
// has opened are not opened again, and schemas that it has loaded are not loaded again.
func (s *Snapshot) load(ctx context.Context, earlier *View) (*View, error) {
	r, err := readObjects(ctx, s.Store.Read())
	if err != nil {
		return nil, err
	}
	v := &View{
		number: s.views.Add(1), issuers: make(map[string]*Issuer, len(r.issuers)), tenants: make(map[string]*domain.Tenant, len(r.tenants)),
		hosts: make(map[string][]mount), apis: make(map[string]*API, len(r.apis)), places: make(map[string][]apiMount),
		policies: make(map[string]policy.Policy, len(r.policies)), tiers: make(map[string]domain.Tier),
	}
	for _, issuer := range r.issuers {
		if err := s.addIssuer(v, earlier, issuer, r.keys); err != nil {
			return nil, err
		}
	}
	for i := range r.tenants {
		v.addTenant(&r.tenants[i])
	}
	for _, mounts := range v.hosts {
		// A tenant may claim a host of its issuer: then it is the tenant's.
		slices.SortFunc(mounts, func(a, b mount) int {
			return cmp.Or(cmp.Compare(len(b.prefix), len(a.prefix)), cmp.Compare(b.tenant, a.tenant))
		})
	}
	if err := v.addAPIs(earlier, r.apis); err != nil {
		return nil, err
	}
	for _, p := range r.policies {
		v.addPolicy(p)
	}
	for _, t := range append(domain.BuiltinTiers(), r.tiers...) {
		v.tiers[t.Name] = t
	}
	s.addAPIKeys(v, r.apiKeys)
	return v, nil
}

func (s *Snapshot) addIssuer(v, earlier *View, issuer domain.Issuer, list []domain.Key) error {
	d, ok := s.Dialects.Get(issuer.Dialect)
	if !ok {
		return fmt.Errorf("issuer %s: there is no dialect %q on this node", issuer.Name, issuer.Dialect)
	}
	i := &Issuer{
		Issuer: issuer, Dialect: d, prefix: issuer.Prefix(), signers: make(map[string]*jwt.Signer),
		verifiers: make(map[string]verifier), now: s.Now,
	}
	for _, k := range list {
		if k.Issuer != issuer.Name {
			continue
		}
		var err error
		switch k.Purpose {
		case domain.PurposeAccess:
			err = s.addKey(i, earlier, k)
		case domain.PurposeIdentity:
			err = s.addIdentity(i, earlier, k)
		}
		if err != nil {
			return err
		}
	}
	v.issuers[i.Name] = i
	for _, h := range i.AllHosts() {
		v.hosts[h] = append(v.hosts[h], mount{prefix: i.prefix, issuer: i})
	}
	return nil
}

// addKey adds a key for access tokens.
func (s *Snapshot) addKey(i *Issuer, earlier *View, k domain.Key) (err error) {
	i.keys = append(i.keys, k)
	if !k.VerifyOnly {
		if i.signers[k.ID], err = s.signer(earlier, i, &k); err != nil {
			return err
		}
	}
	i.verifiers[k.ID], err = s.verifier(i, &k)
	return err
}

func (s *Snapshot) signer(earlier *View, i *Issuer, k *domain.Key) (*jwt.Signer, error) {
	if earlier != nil {
		if old, ok := earlier.issuers[i.Name]; ok && old.Dialect == i.Dialect && old.holds(k) && old.signers[k.ID] != nil {
			return old.signers[k.ID], nil
		}
	}
	private, err := keys.Open(k, s.Vault.Ring)
	if err != nil {
		return nil, err
	}
	return jwt.NewSigner(private, i.Dialect.Server.Typ)
}

// holds reports whether the issuer has this very key, not another one of its id.
func (i *Issuer) holds(k *domain.Key) bool {
	return slices.ContainsFunc(i.keys, func(own domain.Key) bool { return own.ID == k.ID && bytes.Equal(own.Sealed, k.Sealed) })
}

func (v *View) addTenant(t *domain.Tenant) {
	v.tenants[t.ID] = t
	for name, hosts := range t.Hosts {
		i, ok := v.issuers[name]
		if !ok {
			continue
		}
		for _, h := range hosts {
			v.hosts[domain.Host(h)] = append(v.hosts[domain.Host(h)], mount{prefix: i.prefix, issuer: i, tenant: t.ID})
		}
	}
}
