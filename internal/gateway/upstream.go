package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// What an API leaves out.
const (
	defaultConnect = 5 * time.Second
	defaultAnswer  = 30 * time.Second
	defaultIdle    = 60 * time.Second
	defaultMaxBody = 10 << 20
)

// Bounds of an upstream's answer.
const (
	maxAnswerHeader = 64 << 10
	maxInterim      = 16 // 1xx answers to one request
	continueWait    = time.Second
)

// upstream is the API behind the gateway, ready to be called.
type upstream struct {
	url     string // as configured, with timeouts: what this was made of
	limits  domain.Timeouts
	scheme  string
	host    string // as in the URL: the Host that the upstream sees
	base    string // escaped path before that of the request, without a last slash
	connect time.Duration
	answer  time.Duration
	idle    time.Duration
	pool    *pool
}

// upstreams keeps one upstream for each API, by name.
type upstreams struct {
	mu   sync.RWMutex
	byID map[string]*upstream
}

// of returns the upstream of an API; a changed one takes the place of the one before,
// whose calls end in peace.
func (us *upstreams) of(api *domain.API, c *Config) (*upstream, error) {
	us.mu.RLock()
	u := us.byID[api.Name]
	us.mu.RUnlock()
	if u.serves(api) {
		return u, nil
	}
	us.mu.Lock()
	defer us.mu.Unlock()
	old := us.byID[api.Name]
	if old.serves(api) {
		return old, nil
	}
	u, err := newUpstream(api, c)
	if err != nil {
		return nil, err
	}
	if us.byID == nil {
		us.byID = map[string]*upstream{}
	}
	us.byID[api.Name] = u
	if old != nil {
		old.pool.close()
	}
	return u, nil
}

func (u *upstream) serves(api *domain.API) bool {
	return u != nil && u.url == api.Upstream && u.limits == api.Timeouts
}

func newUpstream(api *domain.API, c *Config) (*upstream, error) {
	at, err := url.Parse(api.Upstream)
	if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return nil, fmt.Errorf("API %s: upstream is no http or https URL", api.Name)
	}
	u := &upstream{
		url: api.Upstream, limits: api.Timeouts, scheme: at.Scheme, host: at.Host, base: strings.TrimSuffix(at.EscapedPath(), "/"),
		connect: orElse(api.Timeouts.Connect, defaultConnect),
		answer:  orElse(api.Timeouts.Answer, defaultAnswer),
		idle:    orElse(api.Timeouts.Idle, defaultIdle),
	}
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	port := at.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[at.Scheme]
	}
	u.pool = &pool{scheme: u.scheme, address: net.JoinHostPort(at.Hostname(), port), transport: &http.Transport{
		Proxy:                  nil, // the environment has no say in where calls go (D-66)
		DialContext:            connect(u.within(dial)),
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    u.connect,
		ResponseHeaderTimeout:  u.answer,
		ExpectContinueTimeout:  continueWait,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true, // what is sent is what was asked for
		ForceAttemptHTTP2:      true,
	}}
	return u, nil
}

// within gives up on a connection after the API's time.
func (u *upstream) within(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, u.connect)
		defer cancel()
		return dial(ctx, network, address)
	}
}

func orElse(s domain.Seconds, d time.Duration) time.Duration {
	if s <= 0 {
		return d
	}
	return s.Duration()
}

func (us *upstreams) close() {
	us.mu.Lock()
	defer us.mu.Unlock()
	for _, u := range us.byID {
		u.pool.close()
	}
}
