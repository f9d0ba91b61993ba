package domain

import (
	"time"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Status of a client.
type Status string

// The statuses.
const (
	Enabled  Status = "enabled"
	Disabled Status = "disabled"
)

// Client is a backend service that comes in (RFC 6749 §2).
type Client struct {
	Issuer        string           `json:"issuer" yaml:"issuer"`                               // by name
	ID            string           `json:"id" yaml:"id"`                                       // `client_id`; a UUID when we make it
	Name          string           `json:"name" yaml:"name"`                                   // for people
	Tenant        string           `json:"tenant,omitempty" yaml:"tenant"`                     // by id; left out only where platform_wide
	PlatformWide  bool             `json:"platform_wide,omitempty" yaml:"platform_wide"`       // of no tenant
	Status        Status           `json:"status" yaml:"status"`                               // left out: enabled
	Epoch         int64            `json:"epoch" yaml:"-"`                                     // only grows; raised by whatever kills its tokens
	Scopes        oauth.Scope      `json:"scopes,omitempty" yaml:"scopes"`                     // it may ask for
	Audiences     []string         `json:"audiences" yaml:"audiences"`                         // of its tokens, in order; at least one
	Policies      []string         `json:"policies,omitempty" yaml:"policies"`                 // names of the policies it holds
	ResourceScope ResourceScope    `json:"resource_scope,omitempty" yaml:"resource_scope"`     // where it may act
	Lifetime      Seconds          `json:"lifetime,omitempty" yaml:"lifetime"`                 // of its tokens; left out: the dialect's default
	Tier          string           `json:"tier" yaml:"tier"`                                   // left out: standard
	RateLimits    map[string]int64 `json:"rate_limits,omitempty" yaml:"rate_limits"`           // API → calls a minute there instead of the tier's, counted apart
	Partner       bool             `json:"partner,omitempty" yaml:"partner"`                   // a partner integration
	ScopeRequired bool             `json:"scope_required,omitempty" yaml:"scope_required"`     // it must send a scope
	Imported      bool             `json:"imported,omitempty" yaml:"-"`                        // its id and first secret were not made by us
	Owner         string           `json:"owner,omitempty" yaml:"owner"`                       // who answers for it
	Contact       string           `json:"contact,omitempty" yaml:"contact"`                   // how to reach them
	Note          string           `json:"note,omitempty" yaml:"note"`                         // anything worth knowing
	ValidUntil    *time.Time       `json:"valid_until,omitempty" yaml:"valid_until,omitempty"` // from then on it is as if disabled
	Created       time.Time        `json:"created" yaml:"-"`
	Secrets       []Secret         `json:"secrets,omitempty" yaml:"-"` // at most two alive
	Origin        string           `json:"origin,omitempty" yaml:"-"`  // the file it was applied from, if any
	Version       int64            `json:"-" yaml:"-"`
}

// Secret is a client secret as we know it: never the secret itself.
type Secret struct {
	ID       string     `json:"id"`                  // unique within the client, never used again
	LastFour string     `json:"last_four,omitempty"` // of a generated secret
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
	// Hash is as package secret writes it. It is in no JSON, so in no change
	// and no answer; a store keeps it apart (Sensitive).
	Hash string `json:"-"`
}

// Live reports whether the secret has not expired at the given time.
func (s *Secret) Live(now time.Time) bool { return s.Expires == nil || now.Before(*s.Expires) }

// Kind is KindClient.
func (Client) Kind() Kind { return KindClient }

// Key is the issuer and the id: an id means nothing outside its issuer.
func (c Client) Key() string { return ClientKey(c.Issuer, c.ID) }

// ClientKey is the key of a client, and of its tombstone, in the store.
func ClientKey(issuer, id string) string { return issuer + "/" + id }

// Sensitive is what a store keeps apart from the JSON: secret id → hash.
func (c Client) Sensitive() map[string]string {
	m := make(map[string]string, len(c.Secrets))
	for _, s := range c.Secrets {
		m[s.ID] = s.Hash
	}
	return m
}

// SetSensitive puts back what Sensitive gave.
func (c *Client) SetSensitive(m map[string]string) {
	for i := range c.Secrets {
		c.Secrets[i].Hash = m[c.Secrets[i].ID]
	}
}

// Alive reports whether the client may authenticate at the given time.
func (c *Client) Alive(now time.Time) bool {
	return c.Status == Enabled && (c.ValidUntil == nil || now.Before(*c.ValidUntil))
}

// TokenLifetime is how long the client's tokens live under the dialect of its issuer.
func (c *Client) TokenLifetime(d *dialect.Dialect) time.Duration { return c.lifetime(d) }

// Tombstone stands for a deleted client, so that a client made again under the
// same id continues with a higher epoch.
type Tombstone struct {
	Issuer  string    `json:"issuer"`
	ID      string    `json:"id"`
	Tenant  string    `json:"tenant,omitempty"` // that the client was of
	Epoch   int64     `json:"epoch"`
	Deleted time.Time `json:"deleted"`
	Version int64     `json:"-"`
}

// Kind is KindTombstone.
func (Tombstone) Kind() Kind { return KindTombstone }

// Key is that of the client.
func (t Tombstone) Key() string { return ClientKey(t.Issuer, t.ID) }
