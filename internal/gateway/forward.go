package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/postern-dev/postern/internal/guard"
)

// Why a call that was let through did not end well, as it stands in logs and metrics.
const (
	ConnectTimeout      guard.Reason = "connect_timeout"      // no connection to the upstream in time
	AnswerTimeout       guard.Reason = "answer_timeout"       // no headers of an answer in time
	IdleTimeout         guard.Reason = "idle_timeout"         // the upstream neither took nor gave a byte in time
	UpstreamUnreachable guard.Reason = "upstream_unreachable" //
	UpstreamCut         guard.Reason = "upstream_cut"         // it ended the connection before the answer was whole
	UpstreamMalformed   guard.Reason = "upstream_malformed"   // what it answers is not HTTP, or has no end
	ClientTimeout       guard.Reason = "client_timeout"       // the client neither took nor gave a byte in time
	ClientGone          guard.Reason = "client_gone"          //
	Revoked             guard.Reason = "revoked"              // what let the call pass ceased to hold (D-70)
	Misconfigured       guard.Reason = "misconfigured"        // the upstream of the API cannot be called at all
	Aborted             guard.Reason = "aborted"              // by ourselves
)

var (
	errInterim = errors.New("the upstream sent too many interim answers")
	errStatus  = errors.New("the upstream answered with a status that HTTP does not have")
	errSwitch  = errors.New("the upstream changed to a protocol that nobody asked for")
)

// prepare finds the upstream, refuses a body that says itself that it is too long, and
// signs what the upstream is shown.
func (c *call) prepare() error {
	if err := c.checkLoop(); err != nil {
		return err
	}
	u, err := c.gateway.upstreams.of(&c.verdict.API.API, &c.gateway.Config)
	if err != nil {
		return &guard.Refusal{Reason: Misconfigured, Err: err}
	}
	c.upstream = u
	c.upgrade = c.verdict.Route != nil && c.verdict.Route.Upgrade && upgrades(c.r) != ""
	c.upload.left = c.verdict.API.MaxBody
	if c.upload.left <= 0 {
		c.upload.left = defaultMaxBody
	}
	if c.r.ContentLength > c.upload.left {
		return &guard.Refusal{Reason: guard.BodyTooLarge}
	}
	if c.verdict.API.IdentityToken {
		c.identity, err = c.gateway.identities.identity(&c.verdict, c.ex.Event, c.gateway.Now())
	}
	return err
}

// forward hands the call to the proxy, which comes back by rewrite, modify and failed.
func (c *call) forward() {
	ctx, cancel := context.WithCancelCause(context.WithValue(c.r.Context(), callKey{}, c))
	in := c.r.WithContext(ctx)
	if c.verdict.GraphQL != nil {
		c.carry(in)
	} else if c.r.Body != nil && c.r.Body != http.NoBody && c.r.ContentLength != 0 {
		c.upload.ReadCloser, c.upload.call = c.r.Body, c
		in.Body = &c.upload
		// Else net/http would read the whole body before it lets the answer begin.
		_ = http.NewResponseController(c.ex).EnableFullDuplex() // a writer that cannot is none of net/http
	}
	c.observe(ctx, cancel)
	c.gateway.proxy.ServeHTTP(c, in)
}

// transport sends each call to its own upstream.
type transport struct{}

func (transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return callOf(r.Context()).upstream.pool.RoundTrip(r)
}

// rewrite makes the request to the upstream: the path and query that were judged, byte for
// byte, and of the headers what is the client's to say.
func rewrite(pr *httputil.ProxyRequest) {
	c, out := callOf(pr.In.Context()), pr.Out
	u := c.upstream
	*out.URL = url.URL{Scheme: u.scheme, Host: u.host, Opaque: u.base + c.verdict.Path, RawQuery: c.verdict.RawQuery}
	out.Host = u.host // D-66
	out.Header = c.headers(out.Header)
	if c.verdict.GraphQL != nil {
		c.postGraphQL(out)
		return
	}
	out.Trailer = c.upload.announce(c.r)
}

// oursAtMost is how many headers the gateway sets on a request.
const oursAtMost = 14

// headers are those of the client that it may say, and ours. Those of the connection are
// out already, so nothing that the client names in `Connection` takes away one of ours.
func (c *call) headers(from http.Header) http.Header {
	h := make(http.Header, len(from)+oursAtMost)
	for name, values := range from {
		switch {
		case ours(name):
		case name == "Authorization" && !c.verdict.API.ForwardToken:
		case (name == "Connection" || name == "Upgrade") && !c.upgrade:
		default:
			h[name] = values
		}
	}
	if t, ok := c.r.Header["Content-Type"]; ok { // the body was judged by it: `Connection` cannot take it away
		h["Content-Type"] = t
	}
	o := one{make([]string, 0, oursAtMost)}
	o.set(h, "X-Forwarded-For", c.ex.Source.String())
	o.set(h, "X-Forwarded-Host", c.r.Host)
	o.set(h, "X-Forwarded-Proto", scheme(c.r))
	o.set(h, loopHeader, c.passed())
	o.set(h, eventHeader, c.ex.ID)
	if c.ex.Correlation != "" {
		o.set(h, correlation, c.ex.Correlation)
	}
	identify(h, &c.verdict, &o)
	if c.identity != "" {
		o.set(h, identityHeader, c.identity)
	}
	return h
}

// modify makes the upstream's answer ours to give.
func modify(answer *http.Response) error {
	c := callOf(answer.Request.Context())
	if f := c.fault.Load(); f != nil { // it failed while the answer came
		return f.err
	}
	switch {
	case answer.StatusCode < http.StatusOK && answer.StatusCode != http.StatusSwitchingProtocols:
		return errStatus
	case answer.StatusCode == http.StatusSwitchingProtocols && !c.upgrade:
		return errSwitch // else whatever the client sends next would reach the upstream unjudged
	}
	c.phase.Store(answering)
	strip(answer.Header, oursToTell)
	clean(answer.Trailer, oursToTell)
	if len(answer.Trailer) > 0 && c.r.ProtoMajor == 1 && c.r.Method != http.MethodHead { // HTTP/1.1 has trailers after chunks only
		delete(answer.Header, "Content-Length")
		answer.ContentLength = -1
	}
	c.stamp()
	if _, said := answer.Header["Content-Type"]; !said {
		c.Header()["Content-Type"] = nil // else net/http would guess one
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		c.ex.Status = answer.StatusCode // written past http.ResponseWriter
		return nil
	}
	if answer.Body != http.NoBody {
		c.download = download{ReadCloser: answer.Body, call: c, answer: answer}
		answer.Body = &c.download
	}
	return c.checkAnswer(answer)
}

// failed answers where there is no answer of the upstream.
func failed(_ http.ResponseWriter, r *http.Request, err error) {
	c := callOf(r.Context())
	if why, ok := errors.AsType[*guard.Refusal](err); ok { // of the answer
		c.refuse(c.gateway.record(c, why))
		return
	}
	c.fail(c.diagnose(err), err)
	f := c.fault.Load()
	if f.reason == ClientGone || c.hijacked {
		panic(http.ErrAbortHandler) // nobody listens; a plain return would be an empty 200
	}
	why := error(&guard.Refusal{Reason: f.reason, Err: f.err})
	if refused(f.reason) {
		why = c.gateway.record(c, why)
	}
	c.refuse(why)
}

// refused are the faults that are refusals, for activity.
func refused(reason guard.Reason) bool {
	return reason == guard.BodyTooLarge || reason == guard.BodyMalformed || reason == Revoked
}

// diagnose names what went wrong before there was an answer.
func (c *call) diagnose(err error) guard.Reason {
	_, dialling := errors.AsType[*dialError](err)
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case c.r.Context().Err() != nil:
		return ClientGone
	case dialling && late(err):
		return ConnectTimeout
	case dialling:
		return UpstreamUnreachable
	case late(err):
		return AnswerTimeout
	case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errUnasked),
		strings.Contains(err.Error(), "server closed idle connection"):
		return UpstreamCut
	}
	return UpstreamMalformed
}
