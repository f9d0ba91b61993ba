package secret

import (
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// APIKeyPrefix begins every API key, and nothing else: what a credential is, is told by
// what it is, never by what it lacks (D-54).
const APIKeyPrefix = "pak_"

const hexID = 32 // characters of a UUID without its dashes

// APIKey is the text of an API key: the prefix, its id (a UUID) without dashes, `_`, and a
// generated secret.
func APIKey(id string, s oauth.Secret) oauth.Secret {
	return APIKeyPrefix + oauth.Secret(strings.ReplaceAll(id, "-", "")) + "_" + s
}

// ParseAPIKey reads what APIKey wrote; ok tells whether it is well formed, not whether
// there is such a key.
func ParseAPIKey(key oauth.Secret) (id string, s oauth.Secret, ok bool) {
	rest, ok := strings.CutPrefix(string(key), APIKeyPrefix)
	if !ok || len(rest) != hexID+1+wholeLength || rest[hexID] != '_' || !WellFormed(rest[hexID+1:]) {
		return "", "", false
	}
	hex := rest[:hexID]
	if strings.Trim(hex, "0123456789abcdef") != "" {
		return "", "", false
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], oauth.Secret(rest[hexID+1:]), true
}

// What stands in the hash of an API key in the place of an issuer, and in that of a secret's
// id: no hash of a key is one of a client's secret.
const (
	apiKeyIssuer   = "api key"
	apiKeySecretID = "1"
)

// HashAPIKey is what is kept of the secret of the API key with this id.
func (p *Peppers) HashAPIKey(id string, s oauth.Secret) string {
	return p.Hash(apiKeyIssuer, id, apiKeySecretID, s)
}

// VerifyAPIKey reports whether s is the secret that HashAPIKey hashed for this id.
func (v *Verifier) VerifyAPIKey(p *Peppers, id string, s oauth.Secret) bool {
	return !v.Imported() && v.Verify(p, apiKeyIssuer, id, apiKeySecretID, s)
}
