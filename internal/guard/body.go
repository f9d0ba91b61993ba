package guard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// judgedBody is the most bytes of a body that a rule reads.
const judgedBody = 1 << 20

// announcedBody is the most bytes that are made room for because a header announces them.
const announcedBody = 16 << 10

// errEncoded and errContentType say why a body is not read.
var (
	errEncoded     = errors.New("the body is encoded: what a rule reads must come as it is")
	errContentType = errors.New("the body is neither application/json nor application/x-www-form-urlencoded, in UTF-8")
)

// readBody reads the parameters of a JSON object or a form. What is forwarded are the same
// bytes.
func (c *call) readBody() (url.Values, error) {
	form, err := bodyType(c.r.Header)
	if err != nil {
		return nil, &Refusal{Reason: BodyType, Err: err}
	}
	body, err := c.readWhole()
	if err != nil {
		return nil, err
	}
	replaceBody(c.r, body)
	if form {
		return readForm(body)
	}
	return readObject(body)
}

// readWhole reads a body of at most the bytes that are judged and that the API takes. It is
// read once, however often the call is judged.
func (c *call) readWhole() ([]byte, error) {
	most := int64(judgedBody)
	if c.API.AuditLog != nil {
		most = maxEventsBody
	}
	if c.API.MaxBody > 0 {
		most = min(most, c.API.MaxBody)
	}
	if c.r.ContentLength > most {
		return nil, &Refusal{Reason: BodyTooLarge}
	}
	if c.body != nil {
		return c.body, nil
	}
	body := bytes.NewBuffer(make([]byte, 0, bytes.MinRead+min(max(c.r.ContentLength, 0), announcedBody)))
	_, err := body.ReadFrom(io.LimitReader(c.r.Body, most+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || int64(body.Len()) > most {
		return nil, &Refusal{Reason: BodyTooLarge}
	}
	if err != nil {
		return nil, &Refusal{Reason: BodyMalformed, Err: err}
	}
	c.body = body.Bytes()
	return c.body, nil
}

// bodyType reports whether the body is a form rather than JSON. The header is there once.
func bodyType(h http.Header) (form bool, err error) {
	if len(h["Content-Encoding"]) > 0 {
		return false, errEncoded
	}
	values := h["Content-Type"]
	if len(values) != 1 {
		return false, errContentType
	}
	if values[0] == "application/json" { // what most send
		return false, nil
	}
	media, params, err := mime.ParseMediaType(values[0])
	if err != nil {
		return false, errContentType
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false, errContentType
		}
	}
	switch media {
	case "application/json":
		return false, nil
	case "application/x-www-form-urlencoded":
		return true, nil
	}
	return false, errContentType
}

// replaceBody puts back what was read. The length is known now, but where trailers follow,
// which only a chunked body has.
func replaceBody(r *http.Request, body []byte) {
	was := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(body), was}
	if len(r.Trailer) == 0 {
		r.ContentLength, r.TransferEncoding = int64(len(body)), nil
	}
}

func readForm(body []byte) (url.Values, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &Refusal{Reason: BodyMalformed, Err: err}
	}
	if _, ok := values["access_token"]; ok { // RFC 6750 §2.2: one way to send a token only (D-63)
		return nil, resourceserver.ErrRequest
	}
	return values, overriding(values)
}

// readObject reads the top of a JSON object. A member that is no string stands there as
// empty, so that it is seen and no rule takes it for a value.
func readObject(body []byte) (url.Values, error) {
	members, err := strictjson.Object(body)
	if err != nil {
		return nil, &Refusal{Reason: BodyMalformed, Err: fmt.Errorf("read the body: %w", err)}
	}
	values := make(url.Values, len(members))
	for i := range members {
		m := &members[i]
		text, _ := m.Text() // empty, where it is no string
		values[m.Name] = append(values[m.Name], text)
	}
	return values, overriding(values)
}
