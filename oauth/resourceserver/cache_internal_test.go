package resourceserver

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

func numbered(n int) digest {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	return sha256.Sum256(b[:])
}

func until(unix int64, id string) proof {
	return proof{claims: jwt.Claims{ID: id, Expires: time.Unix(unix, 0)}}
}

// However many tokens verify, no more than the size are kept.
func TestCacheIsBounded(t *testing.T) {
	for size, want := range map[int]int{1: 8, 8: 8, 9: 16, 1000: 1024} {
		c := NewCache(size)
		for n := range 20 * want {
			c.add(numbered(n), until(1000, "x"), 1)
		}
		if got := c.Len(); got != want {
			t.Errorf("size %d: %d kept, want %d", size, got, want)
		}
	}
	if n := len(NewCache(0).sets) * ways; n != DefaultCacheSize {
		t.Errorf("%d places by default", n)
	}
}

func TestCacheEviction(t *testing.T) {
	c := NewCache(ways)
	for n := range ways {
		c.add(numbered(n), until(1000, "x"), int64(n+1))
	}
	d := numbered(0)
	if c.find(&d, 50) == nil { // used again: now the youngest
		t.Fatal("what was put in is not there")
	}
	c.add(numbered(100), until(1000, "x"), 51)
	gone := numbered(1)
	if c.find(&gone, 51) != nil || c.find(&d, 51) == nil {
		t.Error("not the one used longest ago gave way")
	}
	c.add(numbered(2), until(60, "dies"), 52)
	c.add(numbered(101), until(1000, "x"), 61) // 2 has expired: it goes first
	two, three := numbered(2), numbered(3)
	if c.find(&two, 61) != nil || c.find(&three, 61) == nil {
		t.Error("an expired one was kept before a live one")
	}
}

// Two tokens that share place and tag are still two tokens.
func TestCacheComparesTheWholeDigest(t *testing.T) {
	c := NewCache(ways)
	a := numbered(1)
	b := a
	b[31] ^= 1
	c.add(a, until(1000, "a"), 1)
	if c.find(&b, 1) != nil {
		t.Fatal("found another token's proof")
	}
	c.add(b, until(1000, "b"), 1)
	if p := c.find(&b, 1); p == nil || p.claims.ID != "b" {
		t.Error("found another token's proof")
	}
	if p := c.find(&a, 1); p == nil || p.claims.ID != "a" {
		t.Error("lost the first")
	}
}
