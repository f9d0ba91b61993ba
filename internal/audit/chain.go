package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// ErrBroken is wrapped by whatever verification finds: the record is not the
// one that was written.
var ErrBroken = errors.New("audit chain broken")

// digest is SHA-256 over parts, each preceded by its length in 8 bytes, so that
// no two lists of parts have the same bytes.
type digest struct {
	sum hash.Hash
	buf []byte
}

func newDigest(label string, prev []byte) *digest {
	d := &digest{sum: sha256.New(), buf: make([]byte, 0, 512)}
	d.text(label)
	d.bytes(prev)
	return d
}

func (d *digest) bytes(b []byte) {
	d.buf = binary.BigEndian.AppendUint64(d.buf, uint64(len(b)))
	d.buf = append(d.buf, b...)
	d.spill()
}

func (d *digest) text(s string) {
	d.buf = binary.BigEndian.AppendUint64(d.buf, uint64(len(s)))
	d.buf = append(d.buf, s...)
	d.spill()
}

func (d *digest) number(n int64) {
	d.buf = binary.BigEndian.AppendUint64(d.buf, 8)
	d.buf = binary.BigEndian.AppendUint64(d.buf, uint64(n)) //nolint:gosec // the bits, whatever the sign
	d.spill()
}

// spill hands full buffers to the hash: fewer, larger writes.
func (d *digest) spill() {
	if len(d.buf) >= 384 {
		d.sum.Write(d.buf)
		d.buf = d.buf[:0]
	}
}

func (d *digest) done() []byte {
	d.sum.Write(d.buf)
	return d.sum.Sum(nil)
}
