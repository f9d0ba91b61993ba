package gateway

import (
	"errors"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/token"
)

// identityHeader carries the identity token of a call whose API asks for it.
const identityHeader = "X-Postern-Identity"

const (
	identityReuse = token.IdentityLife / 2 // how long one token serves calls that say the same
	identityBytes = 4 << 20                // that are kept; where they are full, all are forgotten
)

var errNoIdentityKey = errors.New("the issuer has no key for identity tokens yet")

// identities keeps the identity tokens that were signed lately. What serves for another
// call is of the same issuer, key, API, client, tenant, scope and resources, to the byte:
// whatever changes in between is in the next token.
type identities struct {
	mu    sync.Mutex
	known map[string]identityToken // by kid and claims
	bytes int
}

type identityToken struct {
	text string
	made time.Time
}

func (t *identityToken) good(now time.Time) bool {
	return !now.Before(t.made) && now.Sub(t.made) < identityReuse
}

func (i *identities) find(claims []byte, now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if t, ok := i.known[string(claims)]; ok && t.good(now) {
		return t.text
	}
	return ""
}

func (i *identities) keep(claims []byte, text string, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	size := len(claims) + len(text)
	if i.known == nil || i.bytes+size > identityBytes {
		i.known, i.bytes = map[string]identityToken{}, 0
	}
	if old, ok := i.known[string(claims)]; ok {
		size -= len(claims) + len(old.text)
	}
	i.known[string(claims)] = identityToken{text, now}
	i.bytes += size
}

// identity is the identity token for the call of a verdict that lets it pass. Without one
// the call goes nowhere: the upstream was promised it.
func (i *identities) identity(v *guard.Verdict, event domain.EventID, now time.Time) (string, error) {
	if v.Issuer == nil || v.Client == nil {
		return "", &guard.Refusal{Reason: Misconfigured, Err: errors.New("an identity token for nobody's call")}
	}
	signer := v.Issuer.IdentitySigner(now)
	if signer == nil {
		return "", &guard.Refusal{Reason: guard.Unavailable, RetryAfter: retryAfter, Err: errNoIdentityKey}
	}
	who := token.Identity{
		Issuer: &v.Issuer.Issuer, Audience: v.API.Audience, Client: v.Client.ID, Tenant: v.Client.Tenant, Scope: v.Scopes, Resources: v.Resources,
	}
	var space [1024]byte
	kid := signer.Key().ID
	key := who.Append(append(space[:0], kid...))
	if text := i.find(key, now); text != "" {
		return text, nil
	}
	text, err := token.SignIdentity(nil, signer, key[len(kid):], event, now)
	if err != nil {
		return "", &guard.Refusal{Reason: Misconfigured, Err: err}
	}
	i.keep(key, string(text), now)
	return string(text), nil
}
