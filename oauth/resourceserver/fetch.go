package resourceserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

const (
	maxKeySet    = 256 << 10 // bytes; oauth/jwt takes no more
	maxHeader    = 32 << 10
	maxRedirects = 3
)

var (
	errRedirect = errors.New("redirected to another host or too often")
	errAddress  = errors.New("address is link-local, or not the loopback that plain http is for")
)

// fetch reads the key set, bounded in size, and in time by ctx (D-29, D-30).
func (r *Remote) fetch(ctx context.Context) (jwt.Keys, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.config.URL, nil) // #nosec G704 -- the URL is the operator's, checked by NewRemote
	if err != nil {
		return jwt.Keys{}, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req) // #nosec G704 -- as above; redirects stay with the host, addresses are looked at when dialled
	if err != nil {
		return jwt.Keys{}, fmt.Errorf("fetch keys: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return jwt.Keys{}, fmt.Errorf("fetch keys: %s answered with status %d", r.config.URL, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return jwt.Keys{}, fmt.Errorf("fetch keys: %w", err)
	}
	keys, err := jwt.ParseJWKS(body)
	if err != nil {
		return jwt.Keys{}, fmt.Errorf("fetch keys: %s: %w", r.config.URL, err)
	}
	return keys, nil
}

// sameHost follows redirects within one origin only.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errRedirect
	}
	return nil
}

// transport looks at the address that a name came to in the end, where no second
// resolution can come between (D-29).
func transport(plain bool) http.RoundTripper {
	dialer := &net.Dialer{Timeout: DefaultTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		a := ap.Addr().Unmap()
		if a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || (plain && !a.IsLoopback()) {
			return errAddress
		}
		return nil
	}}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: DefaultTimeout, MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second,
	}
}

func loopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3; held to it when dialled
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
