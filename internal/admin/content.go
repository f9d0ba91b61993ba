package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// read takes what a request carries: conditions, and content that the operation takes.
func (a *api) read(w http.ResponseWriter, req *http.Request, pattern string, role domain.Role) ([]byte, error) {
	if err := conditions(req); err != nil {
		return nil, err
	}
	most := maxRoleBody
	switch {
	case a.open[pattern]:
		most = maxOpenBody
	case role == domain.PlatformAdmin:
		most = maxBody
	}
	body, err := content(w, req, most)
	if err == nil && len(body) > 0 && a.bare[pattern] {
		err = fail(http.StatusBadRequest, malformed, "this operation takes no content; send none")
	}
	if err != nil {
		return nil, err
	}
	return body, a.noNull(pattern, body)
}

// content is the body of a request, which is JSON (D-95), of at most so many bytes.
func content(w http.ResponseWriter, req *http.Request, most int) ([]byte, error) {
	if req.ContentLength == 0 {
		return nil, nil
	}
	if reads(req) || req.Method == http.MethodDelete {
		return nil, fail(http.StatusBadRequest, malformed, req.Method+" takes no content; send none")
	}
	if err := jsonOnly(req); err != nil {
		return nil, err
	}
	if most == maxBody { // what may be that long takes longer
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)) // a server in a test may have none
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, int64(most)+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, fail(http.StatusRequestTimeout, malformed, "the request did not come to its end in time")
	case err != nil:
		return nil, fail(http.StatusBadRequest, malformed, "the request broke off")
	case len(body) > most:
		return nil, fail(http.StatusRequestEntityTooLarge, tooLarge, "a request has at most "+strconv.Itoa(most)+" bytes")
	}
	return body, nil
}

// reads reports whether the request changes nothing.
func reads(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// conditions refuses conditions that would not be heeded: what is to be done only under them
// is not done without.
func conditions(req *http.Request) error {
	for _, name := range []string{"If-None-Match", "If-Unmodified-Since", "If-Modified-Since", "If-Range"} {
		if !reads(req) && len(req.Header.Values(name)) > 0 {
			return fail(http.StatusBadRequest, malformed, name+" is not known here; send If-Match with the ETag of what you have seen")
		}
	}
	tags := req.Header.Values("If-Match")
	switch {
	case len(tags) == 0:
		return nil
	case reads(req) || req.Method == http.MethodPost:
		return fail(http.StatusBadRequest, malformed, "If-Match goes with PUT, PATCH and DELETE")
	case len(tags) > 1 || tags[0] == "":
		return fail(http.StatusBadRequest, malformed, "If-Match is one ETag, as it came with the object, or *")
	}
	return nil
}

// jsonOnly refuses content that is not JSON as it is, and says what is taken (RFC 9110 §12.5.1,
// §12.5.3; RFC 5789 §3.1).
func jsonOnly(req *http.Request) error {
	header := req.Header
	if coding := strings.Join(header.Values("Content-Encoding"), ","); coding != "" && !strings.EqualFold(coding, "identity") {
		return withHeader(fail(http.StatusUnsupportedMediaType, unsupportedMediaType, "send the content as it is, without Content-Encoding"), "Accept-Encoding", "identity")
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, other := params["charset"]
	if err == nil && media == "application/json" && len(header.Values("Content-Type")) == 1 && (!other || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	accept := "Accept"
	if req.Method == http.MethodPatch {
		accept = "Accept-Patch"
	}
	return withHeader(fail(http.StatusUnsupportedMediaType, unsupportedMediaType, "send application/json"), accept, "application/json")
}

// noNull refuses null where it would be taken for a member that was left out: it means
// something in a PATCH, and in what a client might send an API. A body that is no JSON is
// told so later.
func (a *api) noNull(pattern string, body []byte) error {
	if len(body) == 0 || strings.HasPrefix(pattern, http.MethodPatch) || pattern == patternOf(http.MethodPost, prefix+"/explain") {
		return nil
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var places []*huma.ErrorDetail
	nulls(v, "body", func(at string) { places = append(places, place(at, "is null; leave it out instead")) })
	if len(places) == 0 {
		return nil
	}
	const most = 100
	return fail(http.StatusUnprocessableEntity, invalid, "the request holds null", places[:min(len(places), most)]...)
}

// nulls calls f with the place of each null.
func nulls(v any, at string, f func(string)) {
	switch v := v.(type) {
	case nil:
		f(at)
	case []any:
		for i, one := range v {
			nulls(one, fmt.Sprintf("%s[%d]", at, i), f)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			nulls(v[name], at+"."+name[:min(len(name), 64)], f)
		}
	}
}
