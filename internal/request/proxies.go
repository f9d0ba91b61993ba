package request

import (
	"net/netip"
	"sync/atomic"
)

// Proxies are the networks of proxies whose X-Forwarded-For is believed. They may be set
// while requests are answered; nil is nobody's.
type Proxies struct {
	list atomic.Pointer[[]netip.Prefix]
}

// NewProxies returns those of the networks.
func NewProxies(list ...netip.Prefix) *Proxies {
	p := &Proxies{}
	p.Set(list)
	return p
}

// Set puts other networks in their place.
func (p *Proxies) Set(list []netip.Prefix) { p.list.Store(&list) }

func (p *Proxies) networks() []netip.Prefix {
	if p == nil {
		return nil
	}
	return *p.list.Load()
}
