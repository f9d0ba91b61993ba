package gateway_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
)

// D-59: whatever frames a request in two ways is refused and the connection closed, or read
// in one way and framed anew. In every case what follows on the connection is a second
// request of the attacker itself, and the upstream is sent whole requests with one length.
func TestSmuggling(t *testing.T) {
	n := newTown(t)
	bearer := "Host: api.example.com\r\nContent-Type: application/json\r\nAuthorization: Bearer " + n.token("c1") + "\r\n"
	const smuggled = "GET /base/admin HTTP/1.1\r\nHost: x\r\nX-Postern-Client: admin\r\n\r\n"
	chunked := "Transfer-Encoding: chunked\r\n"
	inner := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled) // a request that is data
	for _, c := range []struct {
		name, headers, body string
		status              int    // of the first answer
		sent                string // body that the upstream gets, where the call passes
		framing             string // header that frames it there
	}{
		{"length", "Content-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"chunked", chunked, "2\r\n{}\r\n0\r\n\r\n", 200, "2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"},
		{"CL.TE", "Content-Length: 6\r\n" + chunked, "0\r\n\r\n" + smuggled, 200, "0\r\n\r\n", "Transfer-Encoding: chunked"},
		{"TE.CL", chunked + "Content-Length: 4\r\n", inner, 200, inner, "Transfer-Encoding: chunked"},
		{"TE twice", chunked + chunked, "0\r\n\r\n" + smuggled, 501, "", ""},
		{"TE list", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n" + smuggled, 501, "", ""},
		{"TE identity", "Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}", 501, "", ""},
		{"TE unknown", "Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n", "{}", 501, "", ""},
		{"TE with a space before the colon", "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"TE after a tab", "Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n", 200, "0\r\n\r\n", "Transfer-Encoding: chunked"},
		{"TE behind a folded line", "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"TE folded", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"TE with a vertical tab", "Transfer-Encoding: \vchunked\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"TE behind a bare CR", "X: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"TE with an underscore is another header", "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"TE named in Connection", "Connection: Transfer-Encoding\r\n" + chunked, "2\r\n{}\r\n0\r\n\r\n", 200, "2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"},
		{"CL named in Connection", "Connection: Content-Length\r\nContent-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"CL twice, different", "Content-Length: 2\r\nContent-Length: 8\r\n", "{}", 400, "", ""},
		{"CL twice, the same", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"CL list", "Content-Length: 2, 2\r\n", "{}", 400, "", ""},
		{"CL signed", "Content-Length: +2\r\n", "{}", 400, "", ""},
		{"CL negative", "Content-Length: -1\r\n", "", 400, "", ""},
		{"CL hexadecimal", "Content-Length: 0x2\r\n", "{}", 400, "", ""},
		{"CL too large for a number", "Content-Length: 99999999999999999999\r\n", "{}", 400, "", ""},
		{"bare LF between headers", "X: a\nContent-Length: 2\r\n", "{}", 200, "{}", "Content-Length: 2"},
		{"chunk extension", chunked, "2;a=b\r\n{}\r\n0;c\r\n\r\n", 200, "2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"},
		{"chunk extension with a bare LF", chunked, "2;a\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"chunk size with a sign", chunked, "+2\r\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"chunk size with 0x", chunked, "0x2\r\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"chunk size too large for a number", chunked, "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"chunk longer than it says", chunked, "1\r\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"chunk line without end", chunked, "2;" + strings.Repeat("a", 8<<10) + "\r\n{}\r\n0\r\n\r\n", 400, "", ""},
		{"a chunk that ends in a bare LF", chunked, "2\r\n{}\n0\r\n\r\n", 400, "", ""},
		{"space before the header name", " X: a\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"null in a header", "X: a\x00b\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
		{"Expect unknown", "Expect: 200-ok\r\nContent-Length: 2\r\n", "{}", 417, "", ""},
		{"h2c upgrade", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 2\r\n", "{}", 400, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(n.upstream.text())
			conn := n.dial()
			conn.t = t
			conn.raw("POST /v1/studies/s1/jobs HTTP/1.1\r\n" + bearer + c.headers + "\r\n" + c.body + "GET /v1/admin HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
			res, _, err := conn.answer("POST")
			if err != nil || res.StatusCode != c.status {
				t.Fatalf("answered %v, %v, want %d", res, err, c.status)
			}
			if tcp, ok := conn.Conn.(interface{ CloseWrite() error }); ok {
				_ = tcp.CloseWrite()
			}
			if rest := conn.closed(); rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 4") { // the second request has no token
				t.Errorf("answered too: %q", rest)
			}
			sent := n.upstream.text()[before:]
			if got := whole(sent); len(got) > 1 || len(got) == 1 && got[0] != "POST /base/studies/s1/jobs c1" {
				t.Fatalf("smuggled %q in %q", got, sent)
			}
			if c.sent == "" {
				if len(whole(sent)) > 0 {
					t.Errorf("a whole request was sent: %q", sent)
				}
				return
			}
			head, body, _ := strings.Cut(sent, "\r\n\r\n")
			if body != c.sent || !strings.Contains(head+"\r\n", "\r\n"+c.framing+"\r\n") ||
				strings.Count(head, "\r\nContent-Length:")+strings.Count(head, "\r\nTransfer-Encoding:") != 1 {
				t.Errorf("sent %q %q, want %q framed by %q", head, body, c.sent, c.framing)
			}
		})
	}
}

// whole lists the whole requests that an upstream reads in what it was sent: method, path,
// client.
func whole(sent string) []string {
	var all []string
	for r := bufio.NewReader(strings.NewReader(sent)); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return all
		}
		if _, err := io.ReadAll(req.Body); err != nil {
			return all
		}
		all = append(all, req.Method+" "+req.URL.Path+" "+req.Header.Get("X-Postern-Client"))
	}
}

// D-59: what a client pipelines is its own; it is judged as its own, one after the other.
func TestPipelining(t *testing.T) {
	n := newTown(t)
	head := " HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer "
	c := n.dial()
	c.send("GET /v1/me" + head + n.token("c1") + "\n\n" + "GET /v1/me HTTP/1.1\nHost: api.example.com\n\n" + "GET /v1/me" + head + n.token("c2") + "\n\n")
	c.want(200, "ok")
	c.want(401, "")
	c.want(200, "ok")
	sent := n.upstream.text()
	if strings.Count(sent, "X-Postern-Client: c1") != 1 || strings.Count(sent, "X-Postern-Client: c2") != 1 || strings.Count(sent, "GET ") != 2 {
		t.Errorf("sent %q", sent)
	}
}

// The connection preface of HTTP/2 in the clear is a request like others, and an unknown one.
func TestPreface(t *testing.T) {
	n := newTown(t)
	c := n.dial()
	c.send("PRI * HTTP/2.0\n\nSM\n\n")
	if got := c.closed(); !strings.HasPrefix(got, "HTTP/1.1 4") || strings.Contains(got, "HTTP/1.1 2") || n.upstream.text() != "" {
		t.Errorf("answered %q, sent %q", got, n.upstream.text())
	}
}

// frame is one frame of HTTP/2 (RFC 9113 §4.1).
func frame(kind, flags byte, stream uint32, payload string) string {
	head := make([]byte, 9)
	binary.BigEndian.PutUint32(head, uint32(len(payload))<<8|uint32(kind)) //nolint:gosec // short payloads
	head[4] = flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return string(head) + payload
}

// field is a header field, not indexed, with a new name (RFC 7541 §6.2.2), none longer than 126 bytes
// but values, whose length is written in full.
func field(name, value string) string {
	b := []byte{0, byte(len(name))}
	b = append(b, name...)
	if n := len(value); n < 127 {
		b = append(b, byte(n))
	} else {
		b = append(b, 127)
		for n -= 127; n >= 128; n /= 128 {
			b = append(b, byte(n%128+128))
		}
		b = append(b, byte(n))
	}
	return string(append(b, value...))
}

// D-59: what would be two headers, or a request line, once it is written as HTTP/1.1.
func TestHTTP2Injection(t *testing.T) {
	n := newTown(t)
	n.front.Close()
	n.tls()
	bearer := "Bearer " + n.token("c1")
	good := [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "api.example.com"}, {":path", "/v1/studies/s1/jobs"}, {"authorization", bearer}}
	with := func(i int, name, value string) [][2]string {
		list := append([][2]string(nil), good...)
		if i < 0 {
			return append(list, [2]string{name, value})
		}
		list[i] = [2]string{name, value}
		return list
	}
	for _, c := range []struct {
		name   string
		fields [][2]string
		status string // of the answer; empty: the stream is reset, or the connection closed; refused: either
	}{
		{"good", good, "200"},
		{"a line end in a value", with(-1, "x", "a\r\nX-Postern-Client: admin"), ""},
		{"a line end in a name", with(-1, "x: a\r\ny", "b"), ""},
		{"a colon in a name", with(-1, "x:y", "b"), ""},
		{"a null in a value", with(-1, "x", "a\x00b"), ""},
		{"an upper case name", with(-1, "X-Y", "b"), ""},
		{"a line end in the path", with(3, ":path", "/v1/studies/s1/jobs HTTP/1.1\r\nHost: x\r\n\r\nGET /admin"), ""},
		{"a space in the path", with(3, ":path", "/v1/studies/s1/jobs HTTP/1.1"), "404"},
		{"a path that is none", with(3, ":path", "jobs"), ""},
		{"a line end in the method", with(0, ":method", "POST /base/admin HTTP/1.1\r\nX: y"), ""},
		{"a space in the method", with(0, ":method", "POST /base/admin"), "404"},
		{"a line end in the authority", with(2, ":authority", "api.example.com\r\nX: y"), ""},
		{"another host beside the authority", with(-1, "host", "internal.example.com"), "200"},
		{"a method twice", with(-1, ":method", "DELETE"), ""},
		{"a pseudo-header after the others", with(-1, ":path", "/v1/admin"), ""},
		{"a pseudo-header that there is not", append([][2]string{{":client", "admin"}}, good...), ""},
		{"transfer-encoding", with(-1, "transfer-encoding", "chunked"), "400"},
		{"connection", with(-1, "connection", "x-postern-client"), "400"},
		{"upgrade", with(-1, "upgrade", "h2c"), "400"},
		{"two lengths", append(with(-1, "content-length", "2"), [2]string{"content-length", "8"}), "200"}, // the first, which is true
		{"ours", with(-1, "x-postern-client", "admin"), "200"},
		{"ours as some write it", with(-1, "x_postern_client", "admin"), "200"},
		{"content-length that is not true", with(-1, "content-length", "5"), "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(n.upstream.text())
			status := n.http2(t, c.fields, "{}")
			sent := n.upstream.text()[before:]
			if status != c.status && (c.status != "refused" || status == "200") {
				t.Fatalf("answered %q, want %q; sent %q", status, c.status, sent)
			}
			if strings.Contains(sent, "admin") || strings.Contains(sent, "X: y") || strings.Contains(sent, "internal.example.com") {
				t.Errorf("injected: %q", sent)
			}
			got, want := whole(sent), []string{"POST /base/studies/s1/jobs c1"}
			if status != "200" {
				want = nil
			}
			if diff := cmp.Diff(want, got); diff != "" || strings.Count(sent, "\r\nContent-Length:")+strings.Count(sent, "\r\nTransfer-Encoding:") > 1 {
				t.Errorf("sent %q: -want +got\n%s", sent, diff)
			}
		})
	}
}

// http2 sends one request as raw frames and returns its status.
func (n *town) http2(t *testing.T, list [][2]string, body string) string {
	t.Helper()
	c := newClient(t, n.dialTLS())
	var block strings.Builder
	for _, f := range list {
		block.WriteString(field(f[0], f[1]))
	}
	c.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "") + frame(1, 4, 1, block.String()) + frame(0, 1, 1, body))
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c.r, head); err != nil {
			return ""
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c.r, payload); err != nil {
			return ""
		}
		switch head[3] {
		case 1: // HEADERS
			return hpackStatus(payload)
		case 3, 7: // RST_STREAM, GOAWAY
			return ""
		}
	}
}

// hpackStatus reads `:status`, which comes first: indexed (RFC 7541 appendix A), or as a
// literal of three digits.
func hpackStatus(block []byte) string {
	known := map[byte]string{0x88: "200", 0x89: "204", 0x8a: "206", 0x8b: "304", 0x8c: "400", 0x8d: "404", 0x8e: "500"}
	if s, ok := known[block[0]]; ok {
		return s
	}
	return http.StatusText(0) + string(block[2:min(len(block), 5)])
}

// A body that is longer than the API takes is refused, by its length or at the byte too many.
func TestBodyTooLarge(t *testing.T) {
	s := newScene(t)
	s.change(func(a *domain.API) { a.MaxBody = 4 })
	for _, c := range []struct {
		name, headers, body string
		status              int
	}{
		{"as long as it may be", "Content-Length: 4\n", "1234", 200},
		{"one more", "Content-Length: 5\n", "12345", 413},
		{"a promise is enough", "Content-Length: 999999999\n", "", 413},
		{"chunks as long as they may be", "Transfer-Encoding: chunked\n", "2\n12\n2\n34\n0\n\n", 200},
		{"one more in chunks", "Transfer-Encoding: chunked\n", "2\n12\n3\n345\n0\n\n", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.upstream.text())
			conn := s.dial()
			conn.t = t
			conn.send("POST / HTTP/1.1\nHost: h\n" + c.headers + "\n" + c.body)
			res := conn.want(c.status, "")
			sent := s.upstream.text()[before:]
			if c.status == 413 && (!res.Close || len(whole(sent)) > 0) {
				t.Errorf("answered %v, sent %q", res.Header, sent)
			}
		})
	}
}
