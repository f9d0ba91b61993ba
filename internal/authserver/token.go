package authserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/token"
	"github.com/postern-dev/postern/oauth"
)

// retryAfter is how long a client is told to wait where this node cannot decide.
const retryAfter = 5 * time.Second

var errNoTenant = errors.New("the client's tenant is not there")

// token is the token endpoint (RFC 6749 §3.2): issue, record, answer.
func (s *Server) token(ex *request.Exchange, r *http.Request, place snapshot.Place) {
	defer s.Metrics.token(ex)
	entry := domain.Entry{
		ID: ex.Event, Action: domain.TokenIssued, Issuer: place.Issuer.Name,
		Source: ex.Source.String(), Correlation: ex.Correlation,
	}
	answer, err := s.issue(ex, r, place, &entry)
	if err != nil {
		entry.Action, entry.Reason = domain.TokenRefused, string(failure(err))
	}
	if e := s.record(r.Context(), entry); e != nil {
		err = e
	}
	ex.Client = entry.Client
	if err != nil {
		ex.Reason = string(failure(err))
		ex.Err = errors.Unwrap(err)
		place.Issuer.Dialect.EncodeError(ex, err)
		return
	}
	place.Issuer.Dialect.EncodeResponse(ex, answer)
}

// issue is the token line: decode, authenticate, grant, sign. It fills the entry as
// it learns, and every error is an *oauth.Error.
func (s *Server) issue(ex *request.Exchange, r *http.Request, place snapshot.Place, entry *domain.Entry) (oauth.TokenResponse, error) {
	issuer := place.Issuer
	req, err := issuer.Dialect.DecodeRequest(r)
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	if err := s.Snapshot.Fresh(); err != nil {
		return oauth.TokenResponse{}, unavailable(err)
	}
	who, err := s.Clients.Authenticate(r.Context(), clientauth.Request{
		Issuer: issuer.Name, ImportedSecrets: issuer.ImportedSecrets, Tenant: place.Tenant,
		Credentials: req.Credentials, Source: ex.Source,
	})
	entry.Client, entry.Tenant, entry.SecretID = who.Known, who.Tenant, who.SecretID
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	client := &who.Client.Client
	tenant := place.TenantOf(client)
	if tenant == nil && !client.PlatformWide {
		return oauth.TokenResponse{}, &oauth.Error{Failure: oauth.FailureServer, Err: fmt.Errorf("%w: %s", errNoTenant, client.Tenant)}
	}
	grant, err := client.Grant(issuer.Dialect, tenant, &req)
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	now := s.Snapshot.Now()
	signer := issuer.Signer(now)
	if signer == nil {
		return oauth.TokenResponse{}, unavailable(fmt.Errorf("issuer %s has no key that signs now", issuer.Name))
	}
	jws, err := token.Issue(nil, signer, token.Facts{
		Issuer: &issuer.Issuer, Dialect: issuer.Dialect, Client: client, Grant: &grant, Event: ex.Event, Now: now,
	})
	if err != nil {
		return oauth.TokenResponse{}, &oauth.Error{Failure: oauth.FailureServer, Err: err}
	}
	entry.Scope = grant.Scope.String()
	return oauth.TokenResponse{
		AccessToken: oauth.Secret(jws), TokenType: issuer.Dialect.Wire.TokenType, ExpiresIn: grant.Lifetime,
		Scope: grant.Scope, ScopeChanged: grant.ScopeChanged,
	}, nil
}

// record queues the entry. Nothing goes unaudited in silence: where there is no
// room in time, the request is refused.
func (s *Server) record(ctx context.Context, entry domain.Entry) error {
	if err := s.Activity.Record(ctx, entry); err != nil {
		return unavailable(err)
	}
	return nil
}

func unavailable(err error) error {
	return &oauth.Error{Failure: oauth.FailureUnavailable, RetryAfter: retryAfter, Err: err}
}

func failure(err error) oauth.Failure {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e.Failure
	}
	return oauth.FailureServer
}
