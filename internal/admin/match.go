package admin

import (
	"net/http"
	"strconv"
	"strings"
)

// etag is the tag of a version; what is built in has none.
func etag(version int64) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// ifMatch reads the version that a change goes for; none, or `*`, is 0: any. A tag that no
// object of ours has cannot match (RFC 9110 §13.1.1), and a weak one never does (§8.8.3.2).
func ifMatch(header string) (int64, error) {
	tag := strings.TrimSpace(header)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	strong, weak := strings.CutPrefix(tag, "W/")
	inner, opened := strings.CutPrefix(strong, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !opened || !closed || strings.Contains(inner, `"`) {
		return 0, fail(http.StatusBadRequest, malformed, `If-Match is no ETag: send back the one that came with the object, as in "3", and one only`)
	}
	version, err := strconv.ParseInt(inner, 10, 64)
	if err != nil || version < 1 || weak || etag(version) != tag {
		return 0, fail(http.StatusPreconditionFailed, preconditionFailed, "If-Match names no version of this object: read it, and send the ETag that comes with it")
	}
	return version, nil
}
