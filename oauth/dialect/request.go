package dialect

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// What EncodeRequest refuses. No error holds a value of the request.
var (
	errTokenURL    = errors.New("token endpoint must be an absolute http or https URL without user, query and fragment")
	errCredentials = errors.New("client id and secret must both be there and be UTF-8")
	errLarge       = errors.New("token request is larger than the contract allows")
)

// EncodeRequest makes a token request as a client of this dialect sends it: the
// first encoding, credentials where the dialect wants them. Where the dialect
// knows but one scope, that is asked for. An audience or scope that the contract
// has no parameter for, or lacks, is an error: nothing is dropped in silence.
func (d *Dialect) EncodeRequest(ctx context.Context, tokenURL string, req oauth.TokenRequest) (*http.Request, error) {
	u, err := url.Parse(tokenURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errTokenURL
	}
	params, err := d.requestParams(req)
	if err != nil {
		return nil, err
	}
	body, contentType := writeBody(d.Wire.Encodings[0], params)
	if len(body) > d.Server.MaxBody {
		return nil, errLarge
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errTokenURL
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", "application/json")
	if d.Wire.Placement != Body {
		r.Header.Set("Authorization", d.basicHeader(req.Credentials))
	}
	return r, nil
}

// requestParams lists what stands in the body.
func (d *Dialect) requestParams(req oauth.TokenRequest) ([]param, error) {
	c := req.Credentials
	if c.ID == "" || c.Secret == "" || !utf8.ValidString(c.ID) || !utf8.ValidString(string(c.Secret)) {
		return nil, errCredentials
	}
	if req.GrantType != "" && req.GrantType != oauth.ClientCredentials {
		return nil, fmt.Errorf("grant type must be %s", oauth.ClientCredentials)
	}
	params := []param{{"grant_type", oauth.ClientCredentials}}
	if d.Wire.Placement == Body || d.Wire.Placement == BasicAndBody {
		params = append(params, param{"client_id", c.ID}, param{"client_secret", string(c.Secret)})
	}
	scope := req.Scope.String()
	if scope == "" && d.Wire.Scope.Presence == Required {
		scope = d.Wire.Scope.Fixed
	}
	if _, err := oauth.ParseScope(scope); err != nil {
		return nil, err
	}
	if !utf8.ValidString(req.Audience) {
		return nil, errText
	}
	for _, p := range []struct {
		presence Presence
		param
	}{{d.Wire.Scope.Presence, param{"scope", scope}}, {d.Wire.Audience.Presence, param{d.Wire.Audience.Name, req.Audience}}} {
		switch {
		case p.value != "" && p.presence == None:
			return nil, fmt.Errorf("dialect %s has no parameter %s", d.Name, p.name)
		case p.value == "" && p.presence == Required:
			return nil, fmt.Errorf("dialect %s requires the parameter %s", d.Name, p.name)
		case p.value != "":
			params = append(params, p.param)
		}
	}
	return params, nil
}

// basicHeader writes Basic credentials. RFC 6749 §2.3.1 wants both parts
// URL-encoded. The placements that the RFC does not know put them raw into the
// header, and so do we there, unless they could not be told apart again.
func (d *Dialect) basicHeader(c oauth.Credentials) string {
	id, secret := c.ID, string(c.Secret)
	raw := d.Wire.Placement == BasicOverBody || d.Wire.Placement == BasicAndBody
	if !raw || strings.Contains(id, ":") || strings.IndexFunc(id+secret, unicode.IsControl) >= 0 {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// param is a parameter to be written.
type param struct{ name, value string }

// writeBody writes the parameters in their order.
func writeBody(e Encoding, params []param) (body []byte, contentType string) {
	switch e {
	case JSON:
		body = append(body, '{')
		for i, p := range params {
			if i > 0 {
				body = append(body, ',')
			}
			body = strictjson.AppendString(append(strictjson.AppendString(body, p.name), ':'), p.value)
		}
		return append(body, '}'), e.mediaType()
	case Multipart:
		boundary := freeBoundary(params)
		for _, p := range params {
			body = append(body, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""+p.name+"\"\r\n\r\n"+p.value+"\r\n"...)
		}
		return append(body, "--"+boundary+"--\r\n"...), e.mediaType() + "; boundary=" + boundary
	}
	for i, p := range params {
		if i > 0 {
			body = append(body, '&')
		}
		body = append(body, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value)...)
	}
	return body, e.mediaType()
}

// freeBoundary is a multipart boundary that occurs in no value.
func freeBoundary(params []param) string {
	for n := 0; ; n++ {
		boundary := "form-part-" + strconv.Itoa(n)
		free := true
		for _, p := range params {
			free = free && !strings.Contains(p.value, boundary)
		}
		if free {
			return boundary
		}
	}
}
