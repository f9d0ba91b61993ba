package dialect

import (
	"net/http"
	"net/url"

	"github.com/postern-dev/postern/oauth"
)

// credentials finds who the client says it is, where the dialect says it has to
// say so (RFC 6749 §2.3.1). One set is returned, and never a second one tried.
//
// Two Authorization headers are 400 where Basic and body exclude each other or
// must agree (credentials_conflict), and malformed credentials where the
// dialect has but one answer for whatever stands in the header (D-08).
func (d *Dialect) credentials(h http.Header, p parameters) (c oauth.Credentials, failed *oauth.Error) {
	header, present, many := single(h, "Authorization")
	place := d.Wire.Placement
	inBody := oauth.Credentials{ID: p.clientID, Secret: oauth.Secret(p.clientSecret)}
	complete := p.clientID != "" && p.clientSecret != ""

	// Missing: neither where they may be, nor where they must be.
	needsHeader := place == Basic || place == BasicAndBody
	needsBody := place == BasicAndBody || !present && !needsHeader
	if needsHeader && !present || needsBody && !complete {
		return c, oauth.Fail(oauth.FailureCredentialsMissing)
	}
	if !present {
		return inBody, nil
	}
	if place == Body {
		return c, oauth.Fail(oauth.FailureCredentialsMalformed)
	}
	if many {
		if place == BasicOverBody {
			return c, oauth.Fail(oauth.FailureCredentialsMalformed)
		}
		return c, oauth.Fail(oauth.FailureCredentialsConflict)
	}
	basic, ok := parseBasic(header)
	if !ok {
		return c, oauth.Fail(oauth.FailureCredentialsMalformed)
	}
	switch place {
	case BasicOverBody: // the body's copy is not looked at
		return basic, nil
	case BasicAndBody:
		if !same(basic, inBody) {
			return c, oauth.Fail(oauth.FailureCredentialsConflict)
		}
		// The body's values are exact: nothing has to be guessed about how
		// the header was written.
		return inBody, nil
	}
	if p.clientSecret != "" || p.clientID != "" && !sameID(basic.ID, p.clientID) {
		return c, oauth.Fail(oauth.FailureCredentialsConflict)
	}
	return basic, nil
}

// same reports whether Basic credentials, as they stood there or URL-decoded
// once, are those of the body. Both came from the client: nothing is secret
// between them.
func same(basic, body oauth.Credentials) bool {
	if basic.ID == body.ID && basic.Secret == body.Secret {
		return true
	}
	id, err := url.QueryUnescape(basic.ID)
	secret, err2 := url.QueryUnescape(string(basic.Secret))
	return err == nil && err2 == nil && id == body.ID && secret == string(body.Secret)
}

func sameID(basic, body string) bool {
	if basic == body {
		return true
	}
	id, err := url.QueryUnescape(basic)
	return err == nil && id == body
}
