package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// codec is how objects of one kind become rows: doc is the JSON of the object,
// which holds no secret; private is the JSON of what the object calls
// sensitive, or nothing.
type codec[T any] struct {
	kind    domain.Kind
	key     func(T) string
	version func(*T) *int64
	private func(T) ([]byte, error)
	restore func(*T, []byte) error
}

func (c codec[T]) encode(v T) (doc string, private []byte, err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", nil, fmt.Errorf("encode %s %q: %w", c.kind, c.key(v), err)
	}
	if c.private != nil {
		if private, err = c.private(v); err != nil {
			return "", nil, fmt.Errorf("encode %s %q: %w", c.kind, c.key(v), err)
		}
	}
	return string(b), private, nil
}

func (c codec[T]) decode(key string, version int64, doc, private []byte) (v T, err error) {
	if err = json.Unmarshal(doc, &v); err == nil && c.restore != nil && len(private) > 0 {
		err = c.restore(&v, private)
	}
	if err != nil {
		return v, fmt.Errorf("decode %s %q: %w", c.kind, key, err)
	}
	*c.version(&v) = version
	return v, nil
}

// sensitive gives a codec the two methods of an object with secrets.
func sensitive[T, S any](c codec[T], get func(T) S, set func(*T, S)) codec[T] {
	c.private = func(v T) ([]byte, error) { return json.Marshal(get(v)) }
	c.restore = func(v *T, b []byte) error {
		var s S
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		set(v, s)
		return nil
	}
	return c
}

// tables are those of a store over q; log is nil where nothing may be written.
func tables(q querier, log *touched) domain.Tables {
	client := codec[domain.Client]{
		kind: domain.KindClient, key: domain.Client.Key,
		version: func(v *domain.Client) *int64 { return &v.Version },
	}
	key := codec[domain.Key]{
		kind: domain.KindKey, key: domain.Key.Key,
		version: func(v *domain.Key) *int64 { return &v.Version },
	}
	vault := codec[domain.VaultKey]{
		kind: domain.KindVault, key: domain.VaultKey.Key,
		version: func(v *domain.VaultKey) *int64 { return &v.Version },
	}
	person := codec[domain.Person]{
		kind: domain.KindPerson, key: domain.Person.Key,
		version: func(v *domain.Person) *int64 { return &v.Version },
	}
	apiKey := codec[domain.APIKey]{
		kind: domain.KindAPIKey, key: domain.APIKey.Key,
		version: func(v *domain.APIKey) *int64 { return &v.Version },
	}
	return domain.Tables{
		Tenants: table[domain.Tenant]{q, log, codec[domain.Tenant]{
			kind: domain.KindTenant, key: domain.Tenant.Key,
			version: func(v *domain.Tenant) *int64 { return &v.Version },
		}},
		Issuers: table[domain.Issuer]{q, log, codec[domain.Issuer]{
			kind: domain.KindIssuer, key: domain.Issuer.Key,
			version: func(v *domain.Issuer) *int64 { return &v.Version },
		}},
		Clients: table[domain.Client]{q, log, sensitive(client, domain.Client.Sensitive, (*domain.Client).SetSensitive)},
		Tombstones: table[domain.Tombstone]{q, log, codec[domain.Tombstone]{
			kind: domain.KindTombstone, key: domain.Tombstone.Key,
			version: func(v *domain.Tombstone) *int64 { return &v.Version },
		}},
		Keys:  table[domain.Key]{q, log, sensitive(key, domain.Key.Sensitive, (*domain.Key).SetSensitive)},
		Vault: table[domain.VaultKey]{q, log, sensitive(vault, domain.VaultKey.Sensitive, (*domain.VaultKey).SetSensitive)},
		APIs: table[domain.API]{q, log, codec[domain.API]{
			kind: domain.KindAPI, key: domain.API.Key,
			version: func(v *domain.API) *int64 { return &v.Version },
		}},
		Policies: table[domain.Policy]{q, log, codec[domain.Policy]{
			kind: domain.KindPolicy, key: domain.Policy.Key,
			version: func(v *domain.Policy) *int64 { return &v.Version },
		}},
		Tiers: table[domain.Tier]{q, log, codec[domain.Tier]{
			kind: domain.KindTier, key: domain.Tier.Key,
			version: func(v *domain.Tier) *int64 { return &v.Version },
		}},
		People:  table[domain.Person]{q, log, sensitive(person, domain.Person.Sensitive, (*domain.Person).SetSensitive)},
		APIKeys: table[domain.APIKey]{q, log, sensitive(apiKey, domain.APIKey.Sensitive, (*domain.APIKey).SetSensitive)},
		Directory: table[domain.NamedResource]{q, log, codec[domain.NamedResource]{
			kind: domain.KindNamedResource, key: domain.NamedResource.Key,
			version: func(v *domain.NamedResource) *int64 { return &v.Version },
		}},
	}
}
