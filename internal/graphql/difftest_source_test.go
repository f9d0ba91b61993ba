package graphql_test

import (
	"encoding/binary"
	"hash/fnv"
)

// source is where generated cases take their choices from: the bytes it was given,
// so that a fuzzer can change one choice, and when they are used up a fixed sequence
// that begins with them (splitmix64).
type source struct {
	bytes []byte
	state uint64
}

func newSource(bytes []byte) *source {
	h := fnv.New64a()
	_, _ = h.Write(bytes)
	return &source{bytes: bytes, state: h.Sum64()}
}

func numbered(n uint64) *source { return newSource(binary.BigEndian.AppendUint64(nil, n)).spent() }

// spent leaves the sequence alone.
func (s *source) spent() *source {
	s.bytes = nil
	return s
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws a number under n.
func (s *source) below(n int) int {
	if n <= 1 {
		return 0
	}
	if len(s.bytes) > 0 {
		b := s.bytes[0]
		s.bytes = s.bytes[1:]
		return int(b) % n
	}
	s.state += 0x9e3779b97f4a7c15
	return int(mix(s.state) % uint64(n))
}

// percent draws true so many times of a hundred.
func (s *source) percent(p int) bool { return s.below(100) < p }

func pick[T any](s *source, of []T) T { return of[s.below(len(of))] }

// some draws a subset, each member with the chance p.
func some[T any](s *source, of []T, p int) []T {
	var drawn []T
	for _, v := range of {
		if s.percent(p) {
			drawn = append(drawn, v)
		}
	}
	return drawn
}
