package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth/jwt"
)

type tokenCommand struct {
	Inspect inspectCommand `cmd:"" help:"Show what is in a token, read from standard input."`
}

type inspectCommand struct {
	JWKS string `name:"jwks" placeholder:"URL" help:"Check the signature with the keys published there."`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

const (
	maxInput    = 64 << 10
	maxJWKS     = 256 << 10
	jwksTimeout = 10 * time.Second
)

// inspected is what `token inspect --json` prints.
type inspected struct {
	Header    json.RawMessage `json:"header"`
	Claims    json.RawMessage `json:"claims"`
	Signature string          `json:"signature"` // valid, invalid, not checked
	Expired   bool            `json:"expired"`
}

// claims are those that inspecting needs; whose token it is and for whom is for the
// reader to judge, so both are taken from the token itself.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Issued   int64    `json:"iat"`
	Expires  int64    `json:"exp"`
}

// audience is a string or a list of them (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// Run reads a token, or the token response that it came in, and shows it. A token
// is never an argument, where others could read it.
func (c inspectCommand) Run(ctx context.Context, s *streams) error {
	data, err := io.ReadAll(io.LimitReader(s.in, maxInput))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	compact, err := tokenIn(data)
	if err != nil {
		return err
	}
	_, payload, err := jwt.Parse(compact)
	if err != nil {
		return hinted{fmt.Errorf("this is no JWT: %w", err), "a token is three parts of letters and digits with dots between them"}
	}
	part, _, _ := strings.Cut(compact, ".")
	header, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("this is no JWT: %w", err)
	}
	shown := inspected{Header: header, Claims: payload, Signature: "not checked"}
	var said claims
	if err := json.Unmarshal(payload, &said); err != nil {
		return fmt.Errorf("the claims are not what a token has: %w", err)
	}
	shown.Expired = time.Now().Unix() >= said.Expires
	var verdict error
	if c.JWKS != "" {
		var signed bool
		if signed, verdict, err = c.verify(ctx, compact, said); err != nil {
			return err
		}
		shown.Signature = "invalid"
		if signed {
			shown.Signature = "valid"
		}
	}
	if err := c.print(s, shown, said.Issued, said.Expires); err != nil {
		return err
	}
	if verdict != nil {
		return fmt.Errorf("the token does not verify: %w", verdict)
	}
	return nil
}

// tokenIn finds the token in what was piped in: a token, or a token response.
func tokenIn(data []byte) (string, error) {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return "", misuse{hinted{errors.New("there is no token on standard input"), "pipe one in, as in: curl … | postern token inspect"}}
	case data[0] != '{':
		return strings.TrimPrefix(string(data), "Bearer "), nil
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := strictjson.Check(data); err != nil {
		return "", fmt.Errorf("this is no token response: %w", err)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", fmt.Errorf("this is no token response: %w", err)
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("this answer holds no token but the error %s: %s", answer.Error, answer.Description)
	}
	return answer.AccessToken, nil
}

// verify checks signature and times with the keys at the URL. What is wrong with the
// token is the verdict, what is wrong with the check is err. signed tells of the
// signature alone: it may be right though the time is not.
func (c inspectCommand) verify(ctx context.Context, compact string, said claims) (signed bool, verdict, err error) {
	keys, err := c.keys(ctx)
	if err != nil {
		return false, nil, err
	}
	want := jwt.Expect{Issuer: said.Issuer, Now: time.Now()}
	if len(said.Audience) > 0 {
		want.Audience = said.Audience[0]
	}
	_, verdict = jwt.Verify(compact, keys, want)
	if errors.Is(verdict, jwt.ErrExpired) || errors.Is(verdict, jwt.ErrNotYet) {
		want.Now = time.Unix(said.Expires-1, 0)
		_, alive := jwt.Verify(compact, keys, want)
		return alive == nil, verdict, nil
	}
	return verdict == nil, verdict, nil
}

// keys reads the keys at the URL.
func (c inspectCommand) keys(ctx context.Context) (keys jwt.Keys, err error) {
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.JWKS, nil)
	if err != nil {
		return keys, misuse{fmt.Errorf("--jwks: %w", err)}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return keys, fmt.Errorf("get the keys: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS))
	if err != nil {
		return keys, fmt.Errorf("get the keys: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return keys, fmt.Errorf("get the keys: HTTP %d", resp.StatusCode)
	}
	keys, err = jwt.ParseJWKS(data)
	if err != nil {
		return keys, fmt.Errorf("the keys at %s: %w", c.JWKS, err)
	}
	if keys.Len() == 0 {
		return keys, hinted{errors.New("no keys are published there"), "an issuer that signs with HS256 publishes none"}
	}
	return keys, nil
}

func (c inspectCommand) print(s *streams, shown inspected, issued, expires int64) error {
	if c.JSON {
		return s.json(shown)
	}
	if err := errors.Join(s.json(shown.Header), s.json(shown.Claims)); err != nil {
		return err
	}
	at := time.Unix(expires, 0)
	life := at.Sub(time.Unix(issued, 0))
	if left := time.Until(at).Round(time.Second); left > 0 {
		s.say("signature %s; valid for %s more of %s", shown.Signature, left, life)
	} else {
		s.say("signature %s; expired %s ago, after %s", shown.Signature, -left, life)
	}
	return nil
}
