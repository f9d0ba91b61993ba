package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// DecodeResponse reads the answer of a token endpoint, of which no more than
// Client.MaxBody bytes are read; closing the body is left to the caller. Members
// that the dialect does not name are ignored. token_type is compared without
// case and must be bearer. expires_in may be a number or a numeric string; more
// than MaxLifetime counts as MaxLifetime, and where it is missing ExpiresIn is
// zero. Errors are *oauth.Error with Status and, as far as the server said,
// Code, Description and RetryAfter; they never hold the body.
func (d *Dialect) DecodeResponse(resp *http.Response) (oauth.TokenResponse, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(d.Client.MaxBody)+1))
	switch {
	case err != nil:
		err = fmt.Errorf("read: %w", err)
	case len(body) > d.Client.MaxBody:
		err = fmt.Errorf("larger than %d bytes", d.Client.MaxBody)
	}
	if resp.StatusCode != http.StatusOK {
		return oauth.TokenResponse{}, readError(resp, body, err)
	}
	var token oauth.TokenResponse
	if err == nil {
		token, err = d.readToken(body)
	}
	if err != nil {
		return oauth.TokenResponse{}, &oauth.Error{Status: resp.StatusCode, Err: err}
	}
	return token, nil
}

func (d *Dialect) readToken(body []byte) (t oauth.TokenResponse, err error) {
	members, err := strictjson.Object(body)
	if err != nil {
		return t, err
	}
	for _, m := range members {
		f := d.responseField(m.Name)
		if f == nil {
			continue
		}
		if f.From == FromExpiresIn {
			if t.ExpiresIn, err = readSeconds(m.Value); err != nil {
				return t, err
			}
			continue
		}
		text, err := strictjson.String(m.Value)
		if err != nil {
			return t, fmt.Errorf("%s: %w", f.Name, err)
		}
		switch f.From {
		case FromAccessToken:
			t.AccessToken = oauth.Secret(text)
		case FromTokenType:
			t.TokenType = text
		case FromScope:
			if t.Scope, err = oauth.ParseScope(text); err != nil {
				return t, err
			}
			t.ScopeChanged = f.When == Changed
		}
	}
	if !tokenText(string(t.AccessToken)) {
		return t, errors.New("access token is missing or holds characters that no header can carry")
	}
	if !strings.EqualFold(t.TokenType, "bearer") {
		return t, errors.New("token type is not bearer") // D-119
	}
	return t, nil
}

func (d *Dialect) responseField(name string) *ResponseField {
	for i := range d.Wire.Response {
		if d.Wire.Response[i].Name == name {
			return &d.Wire.Response[i]
		}
	}
	return nil
}

var errSeconds = errors.New("expires_in is not a number of seconds above zero")

// readSeconds reads expires_in (D-120), whole or not, as number or string.
func readSeconds(value json.RawMessage) (time.Duration, error) {
	number := string(value)
	if text, err := strictjson.String(value); err == nil {
		number = text
	}
	if number == "" || !only(number, digit+"+-.eE") || number[0] == '+' {
		return 0, errSeconds
	}
	seconds, err := strconv.ParseFloat(number, 64) // out of range is ±Inf with an error
	if err != nil && !math.IsInf(seconds, 1) || !(seconds >= 1) {
		return 0, errSeconds
	}
	return time.Duration(min(math.Floor(seconds), MaxLifetime.Seconds())) * time.Second, nil
}

// tokenText reports whether s can stand in an Authorization header.
func tokenText(s string) bool {
	for i := range len(s) {
		if s[i] <= 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// readError takes what RFC 6749 §5.2 has out of a refusal. Whatever else the
// body is, is not told (D-121).
func readError(resp *http.Response, body []byte, cause error) *oauth.Error {
	e := &oauth.Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header), Err: cause}
	if cause != nil {
		return e
	}
	members, err := strictjson.Object(body)
	if err != nil {
		return e
	}
	for _, m := range members {
		text, err := strictjson.String(m.Value)
		if err != nil {
			continue
		}
		switch m.Name {
		case "error":
			e.Code = legible(text, 64)
		case "error_description":
			e.Description = legible(text, 300)
		}
	}
	return e
}

// legible keeps the characters of RFC 6749 §5.2 and at most that many bytes.
func legible(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3): seconds, or a date held
// against the Date of the same answer. It is at most a day.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		if now, err := http.ParseTime(h.Get("Date")); err == nil {
			wait = at.Sub(now)
		}
	}
	return min(max(wait, 0), 24*time.Hour)
}
