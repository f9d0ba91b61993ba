package ratelimit_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/postern-dev/postern/internal/ratelimit"
)

func TestSourceOf(t *testing.T) {
	cases := map[string]struct{ a, b, text string }{
		"one IPv4 address each":              {"192.0.2.7", "192.0.2.7", "192.0.2.7/32"},
		"IPv4 in IPv6 form is IPv4":          {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7/32"},
		"the first 64 bits of IPv6":          {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", "2001:db8:1:2::/64"},
		"a zone is nothing":                  {"fe80::1%eth0", "fe80::2", "fe80::/64"},
		"the loopback of IPv6 is not v4's 0": {"::1", "::1", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, b := source(c.a), source(c.b)
			if a != b || a.String() != c.text {
				t.Errorf("%s is %v, %s is %v, want %s", c.a, a, c.b, b, c.text)
			}
		})
	}
	if source("192.0.2.7") == source("192.0.2.8") || source("2001:db8:1:2::1") == source("2001:db8:1:3::1") {
		t.Error("neighbours are one source")
	}
	if source("0.0.0.0") == source("::1") || ratelimit.SourceOf(netip.Addr{}) == source("0.0.0.0") {
		t.Error("no address, the loopback and 0.0.0.0 are told apart")
	}
}

func FuzzSourceOf(f *testing.F) {
	f.Add(uint32(0xc0000207))
	f.Fuzz(func(t *testing.T, n uint32) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], n)
		addr := netip.AddrFrom4(b)
		if got, want := ratelimit.SourceOf(addr).String(), netip.PrefixFrom(addr, 32).String(); got != want {
			t.Errorf("%v is %s, want %s", addr, got, want)
		}
	})
}
