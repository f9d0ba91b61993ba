package dialect

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// DecodeRequest reads a token request. Its errors are *oauth.Error: the checks
// are made in the order of oauth.Failures, up to FailureCredentialsConflict;
// what is right for this client is judged later. A malformed scope is left in
// ScopeError, because credentials are judged before it. Basic of the error is
// set whenever the client used the Authorization header.
func (d *Dialect) DecodeRequest(r *http.Request) (oauth.TokenRequest, error) {
	x := d.prepared.borrow()
	defer d.prepared.giveBack(x)
	req, failed := d.decodeRequest(r, x)
	if failed != nil {
		failed.Basic = len(r.Header["Authorization"]) > 0
		return oauth.TokenRequest{}, failed
	}
	return req, nil
}

func (d *Dialect) decodeRequest(r *http.Request, x *exchange) (req oauth.TokenRequest, failed *oauth.Error) {
	if r.Method != http.MethodPost {
		return req, oauth.Fail(oauth.FailureMethod)
	}
	if d.Server.RefuseOrigin && len(r.Header["Origin"]) > 0 {
		return req, oauth.Fail(oauth.FailureOrigin)
	}
	if r.URL.RawQuery != "" {
		return req, oauth.Fail(oauth.FailureQueryString)
	}
	encoding, boundary, ok := d.contentType(r.Header)
	if !ok {
		return req, oauth.Fail(oauth.FailureContentType)
	}
	if failed := d.readBody(r, x); failed != nil {
		return req, failed
	}
	p, failed := d.parameters(encoding, boundary, x)
	if failed != nil {
		return req, failed
	}
	if failed := d.checkRequired(p); failed != nil {
		return req, failed
	}
	req = oauth.TokenRequest{GrantType: p.grantType, Audience: p.audience}
	if req.Credentials, failed = d.credentials(r.Header, p); failed != nil {
		return oauth.TokenRequest{}, failed
	}
	if p.scope != "" {
		req.Scope, req.ScopeError = oauth.ParseScope(p.scope)
	}
	return req, nil
}

// contentType reports how the body is written. Parameters and case are
// tolerated, a second header is not.
func (d *Dialect) contentType(h http.Header) (e Encoding, boundary string, ok bool) {
	value, present, many := single(h, "Content-Type")
	if !present || many {
		return "", "", false
	}
	if value == "application/x-www-form-urlencoded" {
		return Form, "", slices.Contains(d.Wire.Encodings, Form)
	}
	media, params, err := mime.ParseMediaType(value)
	if err != nil {
		return "", "", false
	}
	for _, e := range d.Wire.Encodings {
		if media == e.mediaType() {
			return e, params["boundary"], true
		}
	}
	return "", "", false
}

var (
	errTooLarge = errors.New("the body is larger than the dialect allows")
	errEncoded  = errors.New("the body has a Content-Encoding")
	errText     = errors.New("the body is not text in UTF-8")
)

func malformed(err error) *oauth.Error {
	return &oauth.Error{Failure: oauth.FailureMalformedBody, Err: err}
}

// readBody reads the body into x, at most one byte more than is allowed.
func (d *Dialect) readBody(r *http.Request, x *exchange) *oauth.Error {
	for _, coding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(coding, "identity") {
			return malformed(errEncoded)
		}
	}
	most := d.Server.MaxBody
	if r.ContentLength > int64(most) {
		return malformed(errTooLarge)
	}
	if r.Body == nil {
		return nil
	}
	for len(x.body) <= most {
		n, err := r.Body.Read(x.body[len(x.body) : most+1])
		x.body = x.body[:len(x.body)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return malformed(err)
		}
	}
	if len(x.body) > most {
		return malformed(errTooLarge)
	}
	return nil
}

// parameters are the ones that a token request can have here.
type parameters struct {
	grantType, clientID, clientSecret, scope, audience string
}

// parameters takes the body apart. Of unknown parameters only the names count,
// and only for being there twice.
func (d *Dialect) parameters(e Encoding, boundary string, x *exchange) (p parameters, failed *oauth.Error) {
	if e == JSON {
		members, err := strictjson.Strings(x.body)
		if errors.Is(err, strictjson.ErrDuplicate) {
			return p, oauth.Fail(oauth.FailureDuplicateParameter)
		}
		if err != nil {
			return p, malformed(err)
		}
		for _, m := range members {
			if to := d.parameter(&p, m.Name); to != nil {
				*to = m.Value
			}
		}
		return p, nil
	}
	var err error
	if e == Multipart {
		x.form, err = readMultipart(x.form, x.body, boundary)
	} else {
		x.form, err = readForm(x.form, x.body)
	}
	if err != nil {
		return p, malformed(err)
	}
	if i := repeated(x.form); i >= 0 {
		return p, oauth.FailWith(oauth.FailureDuplicateParameter, d.ours(string(x.form[i].name)))
	}
	for _, f := range x.form {
		to := d.parameter(&p, string(f.name))
		switch {
		case to == nil:
		case to == &p.grantType && string(f.value) == oauth.ClientCredentials:
			*to = oauth.ClientCredentials
		default:
			*to = string(f.value)
		}
	}
	return p, nil
}

// parameter is where the value of a parameter goes, or nil if it has no meaning here.
func (d *Dialect) parameter(p *parameters, name string) *string {
	switch name {
	case "grant_type":
		return &p.grantType
	case "client_id":
		return &p.clientID
	case "client_secret":
		return &p.clientSecret
	case "scope":
		if d.Wire.Scope.Presence != None {
			return &p.scope
		}
	case d.Wire.Audience.Name:
		if d.Wire.Audience.Presence != None {
			return &p.audience
		}
	}
	return nil
}

// ours is the name if it is one of ours: no other is ever told (D-36).
func (d *Dialect) ours(name string) string {
	for _, known := range append(coreParameters(), d.Wire.Audience.Name) {
		if name == known {
			return known
		}
	}
	return ""
}

// repeated is the index of a parameter that was there before, or -1. `a=&a=1` is a repeat.
func repeated(form []field) int {
	if len(form) > 16 {
		seen := make(map[string]bool, len(form))
		for i, f := range form {
			if seen[string(f.name)] {
				return i
			}
			seen[string(f.name)] = true
		}
		return -1
	}
	for i := range form {
		for j := range i {
			if bytes.Equal(form[i].name, form[j].name) {
				return i
			}
		}
	}
	return -1
}

// checkRequired judges grant type and required parameters. A value that is
// empty counts as omitted (RFC 6749 §3.2); the grant type is compared exactly.
func (d *Dialect) checkRequired(p parameters) *oauth.Error {
	switch {
	case p.grantType == "":
		return oauth.FailWith(oauth.FailureGrantTypeMissing, "grant_type")
	case p.grantType != oauth.ClientCredentials:
		return oauth.FailWith(oauth.FailureGrantTypeUnsupported, "grant_type")
	case d.Wire.Audience.Presence == Required && p.audience == "":
		return oauth.FailWith(oauth.FailureParameterMissing, d.Wire.Audience.Name)
	case d.Wire.Scope.Presence == Required && p.scope == "":
		return oauth.FailWith(oauth.FailureParameterMissing, "scope")
	}
	return nil
}
