package admin

import (
	"encoding/json"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

// Client is a client as the API shows it.
type Client struct {
	domain.Client
	Version int64 `json:"version"` // for If-Match
}

// NewClient is what an administrator may choose of a client (D-74: nothing else).
type NewClient struct {
	Issuer        string               `json:"issuer,omitempty" doc:"Name of the issuer."`
	ID            string               `json:"id,omitempty" doc:"A UUID; left out: a random one. Any id in an import."`
	Name          string               `json:"name,omitempty"`
	Tenant        string               `json:"tenant,omitempty" doc:"Id of the tenant; left out only for platform-wide clients."`
	PlatformWide  bool                 `json:"platform_wide,omitempty"`
	Scopes        oauth.Scope          `json:"scopes,omitempty"`
	Audiences     []string             `json:"audiences,omitempty"`
	Policies      []string             `json:"policies,omitempty"`
	ResourceScope domain.ResourceScope `json:"resource_scope,omitempty"`
	Lifetime      domain.Seconds       `json:"lifetime,omitempty" doc:"Of tokens, in seconds; left out: that of the dialect."`
	Tier          string               `json:"tier,omitempty"`
	RateLimits    map[string]int64     `json:"rate_limits,omitempty" doc:"API: calls a minute there instead of the tier's, counted apart."`
	Partner       bool                 `json:"partner,omitempty"`
	ScopeRequired bool                 `json:"scope_required,omitempty"`
	Owner         string               `json:"owner,omitempty"`
	Contact       string               `json:"contact,omitempty"`
	Note          string               `json:"note,omitempty"`
	ValidUntil    *time.Time           `json:"valid_until,omitempty"`
}

func (n NewClient) spec() domain.Client {
	return domain.Client{
		Issuer: n.Issuer, ID: n.ID, Name: n.Name, Tenant: n.Tenant, PlatformWide: n.PlatformWide, Scopes: n.Scopes,
		Audiences: n.Audiences, Policies: n.Policies, ResourceScope: n.ResourceScope, Lifetime: n.Lifetime, Tier: n.Tier, RateLimits: n.RateLimits,
		Partner: n.Partner, ScopeRequired: n.ScopeRequired, Owner: n.Owner, Contact: n.Contact, Note: n.Note, ValidUntil: n.ValidUntil,
	}
}

// CreatedClient is a client with its secret, which is shown here and never again.
type CreatedClient struct {
	Client
	Secret      string `json:"client_secret,omitempty" doc:"Shown this once."` //nolint:gosec // to whoever made it
	SecretShown bool   `json:"secret_shown,omitempty" doc:"This answer was given before, with the secret; it is not shown again."`
}

// ImportedClient is a client of another system with its secret or the hash of it.
type ImportedClient struct {
	NewClient
	Secret string `json:"client_secret,omitempty"` //nolint:gosec // comes in, is never shown
	Hash   string `json:"hash,omitempty" doc:"argon2id, bcrypt or PBKDF2-SHA256, as their usual strings."`
}

// Patch changes what it holds and leaves the rest: a field is set, or by null set
// back to what it is when left out.
type Patch map[string]json.RawMessage

// Key is a signing key as the API shows it.
type Key struct {
	domain.Key
	Signs bool `json:"signs"` // it is the one that signs now, for its purpose
}

// Rotation says which signing key is replaced, and how.
type Rotation struct {
	Purpose domain.Purpose `json:"purpose,omitempty" enum:"access,identity" doc:"Of the key: access tokens (left out), or the identities that upstreams are shown."`
	Now     bool           `json:"now,omitempty" doc:"The new key signs at once."`
	Kill    bool           `json:"kill,omitempty" doc:"All other keys for the purpose are worth nothing from now on: every token of the issuer under them dies."`
}

// ImportedKey is a private JWK of another system.
type ImportedKey struct {
	JWK               json.RawMessage `json:"jwk"`
	Sign              bool            `json:"sign,omitempty" doc:"It signs from now on; otherwise it only verifies."`
	WithoutEpochUntil *time.Time      `json:"without_epoch_until,omitempty" doc:"Tokens without an epoch are accepted under it until then."`
}
