package guard

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Why a token that verified is worth nothing. For the log: the answer is the same to all
// (D-72).
var (
	errNotItself   = errors.New("the token is about somebody else than its client")
	errNoIssuer    = errors.New("the API trusts no issuer that is there")
	errConstant    = errors.New("a claim that all tokens of the dialect have is not there")
	errNoClient    = errors.New("the client is not there")
	errNotAlive    = errors.New("the client is disabled, or past its end")
	errAudience    = errors.New("the client no longer has this audience")
	errEpoch       = errors.New("the client's tokens were killed since")
	errNoEpoch     = errors.New("the token carries no epoch, and its key does not excuse it")
	errOtherTenant = errors.New("the host is another tenant's")
)

// errNoTenant is no fault of the token.
var errNoTenant = errors.New("the client's tenant is not there")

func invalid(why error) error { return fmt.Errorf("%w: %w", resourceserver.ErrToken, why) }

// standing refuses a client that may not call the API now, whatever its token.
func standing(client *snapshot.Client, api *snapshot.API, now time.Time) error {
	switch {
	case !client.Alive(now):
		return invalid(errNotAlive)
	case !slices.Contains(client.Audiences, api.Audience): // COM-12
		return invalid(errAudience)
	}
	return nil
}

// checkEpoch refuses tokens of another epoch than the client's (DESIGN §7): `jti` is
// `<epoch>.<event id>`. One without is accepted under an imported key that excuses it, while the
// client was never killed.
func checkEpoch(issuer *snapshot.Issuer, claims resourceserver.Claims, client *snapshot.Client) error {
	if epoch, ok := epochOf(claims.ID); ok {
		if epoch != client.Epoch {
			return invalid(errEpoch)
		}
		return nil
	}
	if kid, _ := claims.Key(); client.Epoch != 1 || !issuer.WithoutEpoch(kid) {
		return invalid(errNoEpoch)
	}
	return nil
}

// epochOf reads the epoch in a `jti` of our making.
func epochOf(jti string) (int64, bool) {
	number, event, _ := strings.Cut(jti, ".")
	if number == "" || number[0] < '1' { // neither sign nor leading zero
		return 0, false
	}
	epoch, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, false
	}
	_, err = domain.ParseEventID(event)
	return epoch, err == nil
}

// said is what the token says that narrows what its client holds. The dialect says which
// claims it must have, as which constant (D-55), and which one names a resource that
// the token is bound to: where it is not there the token reaches none of the kind (BIP-05).
func said(issuer *snapshot.Issuer, claims resourceserver.Claims) (policy.Said, error) {
	s := policy.Said{Scopes: claims.Scope()}
	server := &issuer.Dialect.Server
	for i := range server.Scope.Bindings {
		if s.Resources == nil {
			s.Resources = make(policy.ResourceScope, len(server.Scope.Bindings))
		}
		s.Resources[server.Scope.Bindings[i].Kind] = policy.Resources{}
	}
	for i := range server.Claims {
		claim := &server.Claims[i]
		if claim.From == "" {
			if value, _ := claims.Text(claim.Name); value != claim.Value { // which is never empty
				return policy.Said{}, invalid(errConstant)
			}
			continue
		}
		kind, binds := claim.From.BindingKind()
		if !binds {
			continue
		}
		if id, ok := claims.Text(claim.Name); ok && id != "" {
			s.Resources[kind] = policy.Resources{IDs: []string{id}}
		}
	}
	return s, nil
}
