package dialect

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// What a file gets that says nothing, beyond the constants' own comments.
const (
	defaultMaxBody       = 16 << 10 // bytes of a request, and the most there can be
	defaultClientMaxBody = 64 << 10 // bytes of an answer
	defaultLifetime      = 3600     // seconds
	defaultRefresh       = 0.1
)

// or sets a field that was left out.
func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// fill puts the RFCs' behaviour wherever the file says nothing.
func (d *Dialect) fill() {
	or(&d.Title, d.Name)
	d.Wire.fill()
	s := &d.Server
	or(&s.Realm, "token")
	or(&s.Challenge, BasicUsed)
	or(&s.Scope.Omitted, AllAssigned)
	for i := range s.Scope.Bindings {
		or(&s.Scope.Bindings[i].Max, 1)
	}
	or(&s.Typ, "at+jwt") // RFC 9068 §2.1
	if s.Claims == nil {
		s.Claims = []Claim{{Name: "scope", From: ClaimScope}} // RFC 9068 §2.2.3
	}
	for i := range s.Claims {
		or(&s.Claims[i].Empty, Omit)
	}
	if s.Algorithms == nil {
		s.Algorithms = []string{es256, edDSA, rs256, ps256}
	}
	s.Lifetime.fill()
	or(&s.MaxBody, defaultMaxBody)
	or(&s.PartnerClients, PartnersAllowed)
	or(&d.Client.RefreshFraction, defaultRefresh)
	or(&d.Client.MaxBody, defaultClientMaxBody)
	d.fillAnswers()
}

func (w *Wire) fill() {
	if w.Encodings == nil {
		w.Encodings = []Encoding{Form}
	}
	or(&w.Placement, BasicOrBody)
	or(&w.Audience.Presence, Optional)
	or(&w.Audience.Name, "resource") // RFC 8707 §2
	or(&w.Scope.Presence, Optional)
	or(&w.TokenType, "Bearer")
	if w.Response == nil { // RFC 6749 §5.1
		w.Response = []ResponseField{{Name: "access_token"}, {Name: "token_type"}, {Name: "expires_in"}, {Name: "scope", When: Changed}}
	}
	for i := range w.Response {
		f := &w.Response[i]
		if source := ResponseSource(f.Name); f.From == "" && slices.Contains(texts(FromAccessToken, FromTokenType, FromExpiresIn, FromScope), f.Name) {
			f.From = source
		}
		as := String
		if f.From == FromExpiresIn {
			as = Number
		}
		or(&f.As, as)
		or(&f.When, Always)
	}
}

func (l *Lifetime) fill() {
	most := int(MaxLifetime.Seconds())
	if l.Default == 0 {
		l.Default = defaultLifetime
		if l.Max > 0 {
			l.Default = min(l.Default, l.Max)
		}
	}
	if l.Fixed {
		most = l.Default
	}
	or(&l.Max, most)
}

// fillAnswers completes the answer to every failure.
func (d *Dialect) fillAnswers() {
	answers := make(map[oauth.Failure]Answer, len(oauth.Failures()))
	for _, f := range oauth.Failures() {
		a, standard := d.Server.Errors[f], standardAnswer(f)
		or(&a.Status, standard.Status)
		or(&a.Code, standard.Code)
		or(&a.Description, d.describe(f))
		answers[f] = a
	}
	d.Server.Errors = answers
}

// standardAnswer is status and code of RFC 6749 §5.2 and RFC 8707 §2. Where
// they have no code, the nearest one of RFC 6749 §4.1.2.1 is taken.
func standardAnswer(f oauth.Failure) Answer {
	switch f {
	case oauth.FailureMethod:
		return Answer{Status: 405, Code: oauth.InvalidRequest}
	case oauth.FailureOrigin:
		return Answer{Status: 403, Code: oauth.InvalidRequest}
	case oauth.FailureGrantTypeUnsupported:
		return Answer{Status: 400, Code: oauth.UnsupportedGrantType}
	case oauth.FailureCredentialsMissing, oauth.FailureCredentialsMalformed, oauth.FailureCredentialsWrong:
		return Answer{Status: 401, Code: oauth.InvalidClient}
	case oauth.FailureTooManyAttempts:
		return Answer{Status: 429, Code: oauth.TemporarilyUnavailable}
	case oauth.FailureGrantNotAllowed:
		return Answer{Status: 400, Code: oauth.UnauthorizedClient}
	case oauth.FailureScopeMissing, oauth.FailureScopeInvalid:
		return Answer{Status: 400, Code: oauth.InvalidScope}
	case oauth.FailureAudienceInvalid:
		return Answer{Status: 400, Code: oauth.InvalidTarget}
	case oauth.FailureUnavailable:
		return Answer{Status: 503, Code: oauth.TemporarilyUnavailable}
	case oauth.FailureServer:
		return Answer{Status: 500, Code: oauth.ServerError}
	}
	return Answer{Status: 400, Code: oauth.InvalidRequest}
}

// describe says in plain words what was wrong and what to do. Malformed and
// wrong credentials read alike (D-09, D-11).
func (d *Dialect) describe(f oauth.Failure) string {
	switch f {
	case oauth.FailureMethod:
		return "a token request is a POST request"
	case oauth.FailureOrigin:
		return "token requests from browsers are refused: send them from your server"
	case oauth.FailureQueryString:
		return "parameters belong in the request body: leave the query string empty"
	case oauth.FailureContentType:
		return "send the parameters as " + strings.Join(d.mediaTypes(), " or ") + " with one Content-Type header that says so"
	case oauth.FailureMalformedBody:
		return "the request body is too large or is not what its Content-Type says"
	case oauth.FailureDuplicateParameter:
		return "a parameter may stand in the request only once"
	case oauth.FailureGrantTypeMissing, oauth.FailureGrantTypeUnsupported:
		return "grant_type must be client_credentials"
	case oauth.FailureParameterMissing:
		return "a required parameter is missing"
	case oauth.FailureCredentialsMissing:
		return "client credentials are missing: send them " + d.where()
	case oauth.FailureCredentialsMalformed, oauth.FailureCredentialsWrong:
		return "client authentication failed: check client id and secret, and send them " + d.where()
	case oauth.FailureCredentialsConflict:
		if d.Wire.Placement == BasicAndBody {
			return "the client credentials in the Authorization header and in the body differ"
		}
		return "client credentials came in two ways: send them " + d.where()
	case oauth.FailureTooManyAttempts:
		return "too many failed attempts: wait as Retry-After says"
	case oauth.FailureGrantNotAllowed:
		return "this client may not use the client_credentials grant"
	case oauth.FailureScopeMissing:
		return "this client has to ask for a scope"
	case oauth.FailureScopeInvalid:
		return "the scope is malformed or was not given to this client"
	case oauth.FailureAudienceInvalid:
		return "this client was not given that audience"
	case oauth.FailureUnavailable:
		return "the server cannot answer now: try again later"
	}
	return "the server failed: try again later"
}

// where says how credentials are sent.
func (d *Dialect) where() string {
	switch d.Wire.Placement {
	case Body:
		return "in the request body"
	case Basic:
		return "by HTTP Basic authentication"
	case BasicAndBody:
		return "both by HTTP Basic authentication and in the request body"
	}
	return "by HTTP Basic authentication or in the request body"
}

func (d *Dialect) mediaTypes() []string {
	types := make([]string, len(d.Wire.Encodings))
	for i, e := range d.Wire.Encodings {
		types[i] = e.mediaType()
	}
	return types
}

// mediaType is what Content-Type says of a body so written.
func (e Encoding) mediaType() string {
	switch e {
	case JSON:
		return "application/json"
	case Multipart:
		return "multipart/form-data"
	}
	return "application/x-www-form-urlencoded"
}
