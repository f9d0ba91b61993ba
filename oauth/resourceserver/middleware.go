package resourceserver

import (
	"context"
	"net/http"
	"slices"

	"github.com/postern-dev/postern/oauth"
)

// Require lets a request through to next if it carries a good token, whose claims
// ClaimsFrom then finds in its context. Any other is answered by Refuse.
func (v *Verifier) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := v.request(r)
		if err != nil {
			if v.refused != nil {
				v.refused(r, err)
			}
			Refuse(w, v.realm, err)
			return
		}
		p := &passed{claims: claims, realm: v.realm}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, p)))
	})
}

func (v *Verifier) request(r *http.Request) (Claims, error) {
	token, err := v.token(r)
	if err != nil {
		return Claims{}, err
	}
	return v.Verify(r.Context(), v.source(r), token)
}

// RequireScope lets a request through that Require let through and whose token was
// granted all of these. It panics, when the program is put together, if it is given
// none or one that is no scope token of RFC 6749 §3.3.
func RequireScope(scopes ...string) func(http.Handler) http.Handler {
	required := oauth.Scope(slices.Clone(scopes))
	if len(required) == 0 || slices.ContainsFunc(required, func(s string) bool { return !oauth.ValidScopeToken(s) }) {
		panic("resourceserver: RequireScope without a scope, or with a malformed one")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, ok := r.Context().Value(claimsKey{}).(*passed)
			switch {
			case !ok: // not behind Require: nobody passes
				Refuse(w, "", ErrNoToken)
			case !p.claims.HasScope(required...):
				Refuse(w, p.realm, &ScopeError{Required: required})
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}
