package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/postern-dev/postern/internal/guard"
)

var errTooLarge = errors.New("the body is larger than the API takes")

// upload is the client's body on its way to the upstream.
type upload struct {
	io.ReadCloser
	call    *call
	left    int64       // bytes that may still come
	trailer http.Header // of the request to the upstream, filled at the end of the body
}

func (u *upload) Read(p []byte) (int, error) {
	c := u.call
	c.phase.CompareAndSwap(waiting, sending)
	c.reading.Store(true)
	n, err := u.ReadCloser.Read(p)
	c.reading.Store(false)
	c.moved.Add(int64(n))
	if u.left -= int64(n); u.left < 0 {
		c.fail(guard.BodyTooLarge, errTooLarge)
		return 0, errTooLarge
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		for name := range u.trailer {
			u.trailer[name] = c.r.Trailer[name]
		}
		c.phase.CompareAndSwap(sending, waiting)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.fail(ClientTimeout, err)
	case c.r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		c.fail(ClientGone, err)
	default:
		c.fail(guard.BodyMalformed, err)
	}
	return n, err
}

// announce is the trailer of the request to the upstream: what the client announced, and
// of that what may stand there.
func (u *upload) announce(r *http.Request) http.Header {
	if len(r.Trailer) == 0 {
		return nil
	}
	u.trailer = make(http.Header, len(r.Trailer))
	for name := range r.Trailer {
		if trailing(name, ours) {
			u.trailer[name] = nil
		}
	}
	return u.trailer
}

// download is the upstream's body on its way to the client.
type download struct {
	io.ReadCloser
	call   *call
	answer *http.Response
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.call.moved.Add(int64(n))
	switch {
	case err == nil:
	case err == io.EOF: //nolint:errorlint // as the reader says it; wrapped it would be another error
		clean(d.answer.Trailer, oursToTell)
	case d.call.r.Context().Err() != nil:
		d.call.fail(ClientGone, err)
	default:
		d.call.fail(UpstreamCut, err)
	}
	return n, err
}
