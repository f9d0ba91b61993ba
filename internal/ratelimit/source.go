package ratelimit

import (
	"encoding/binary"
	"net/netip"
)

// Source is where requests come from, as far as it is told apart: an IPv4
// address, or the first 64 bits of an IPv6 address, which is what one subscriber
// has (RFC 6177). The zero Source stands for all that have no address.
type Source uint64

// ipv4 marks IPv4 sources. No IPv6 source begins with it: ff00::/8 is multicast.
const ipv4 = 0xff00_0000_0000_0000

// SourceOf is the source that the address belongs to. An IPv4 address in IPv6
// form is that IPv4 address.
func SourceOf(addr netip.Addr) Source {
	addr = addr.Unmap()
	switch {
	case addr.Is4():
		b := addr.As4()
		return ipv4 | Source(binary.BigEndian.Uint32(b[:]))
	case addr.Is6():
		b := addr.As16()
		return Source(binary.BigEndian.Uint64(b[:8]))
	}
	return 0
}

// String is the prefix in CIDR form, as in `192.0.2.7/32` and `2001:db8::/64`.
func (s Source) String() string {
	if s == 0 {
		return ""
	}
	if s&ipv4 == ipv4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(s)) //nolint:gosec // the lower half
		return netip.PrefixFrom(netip.AddrFrom4(b), 32).String()
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(s))
	return netip.PrefixFrom(netip.AddrFrom16(b), 64).String()
}
