package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// wire is a client that knows nothing: it sends bytes, and takes an answer apart
// by hand, so that nothing is mended on the way.
type wire struct {
	address string // of the server
	from    net.IP // whom the server sees
	conn    net.Conn
	reader  *bufio.Reader
}

const wireTimeout = 20 * time.Second

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

func (w *wire) dial() error {
	d := net.Dialer{Timeout: wireTimeout}
	if w.from != nil {
		d.LocalAddr = &net.TCPAddr{IP: w.from}
	}
	conn, err := d.Dial("tcp", w.address)
	if err != nil {
		return err
	}
	w.conn, w.reader = conn, bufio.NewReader(conn)
	return nil
}

// field is a header field as it stood there.
type field struct{ name, value string }

// answer is what came back.
type answer struct {
	status  int
	version string
	fields  []field
	body    string
}

// get returns the values of a header.
func (a *answer) get(name string) []string {
	var list []string
	for _, f := range a.fields {
		if strings.EqualFold(f.name, name) {
			list = append(list, f.value)
		}
	}
	return list
}

// send sends a request and reads its answer. A connection that the server has closed
// meanwhile is opened again.
func (w *wire) send(request []byte) (*answer, error) {
	reused := w.conn != nil
	if !reused {
		if err := w.dial(); err != nil {
			return nil, err
		}
	}
	a, err := w.exchange(request)
	if err != nil && reused {
		w.close()
		return w.send(request)
	}
	if err != nil || len(a.get("Connection")) > 0 {
		w.close()
	}
	return a, err
}

func (w *wire) exchange(request []byte) (*answer, error) {
	if err := w.conn.SetDeadline(time.Now().Add(wireTimeout)); err != nil {
		return nil, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return nil, err
	}
	return readAnswer(w.reader, bytes.HasPrefix(request, []byte("HEAD ")))
}

func readAnswer(r *bufio.Reader, head bool) (*answer, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 {
		return nil, fmt.Errorf("status line %q", line)
	}
	a := &answer{status: status, version: version}
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("header line %q", line)
		}
		a.fields = append(a.fields, field{name, strings.Trim(value, " \t")})
	}
	return a, a.readBody(r, head)
}

func (a *answer) readBody(r *bufio.Reader, head bool) error {
	lengths := a.get("Content-Length")
	switch {
	case head:
		return nil
	case len(lengths) == 0 && len(a.get("Connection")) > 0: // an answer of net/http itself
		all, err := io.ReadAll(r)
		a.body = string(all)
		return err
	case len(lengths) != 1:
		return errors.New("no Content-Length")
	}
	n, err := strconv.Atoi(lengths[0])
	if err != nil {
		return err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	a.body = string(body)
	return err
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("line end of %q", line)
	}
	return line, nil
}

// compose makes a request of its lines: body lines are joined by CRLF. Host and
// Content-Length are added where the lines say nothing of them; `!Name` keeps
// one out.
func compose(lines []string, host string) []byte {
	var head, body []string
	for i, line := range lines {
		if line == "" {
			body = lines[i+1:]
			break
		}
		head = append(head, line)
	}
	text := fill(strings.Join(body, "\r\n"))
	said := make(map[string]bool)
	var b strings.Builder
	for _, line := range head {
		if name, out := strings.CutPrefix(line, "!"); out {
			said[strings.ToLower(name)] = true
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		said[strings.ToLower(name)] = true
		b.WriteString(line + "\r\n")
	}
	if !said["host"] {
		b.WriteString("Host: " + host + "\r\n")
	}
	if !said["content-length"] && !said["transfer-encoding"] && (text != "" || strings.HasPrefix(head[0], "POST ")) {
		b.WriteString("Content-Length: " + strconv.Itoa(len(text)) + "\r\n")
	}
	return []byte(b.String() + "\r\n" + text)
}

// fill puts as many letters where the mark is as make the body as long as it says.
func fill(body string) string {
	before, rest, ok := strings.Cut(body, fillMark)
	size, after, _ := strings.Cut(rest, fillMark)
	length, err := strconv.Atoi(size)
	if !ok || err != nil {
		return body
	}
	return before + strings.Repeat("a", length-len(before)-len(after)) + after
}
