package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// maxAnswer bounds an answer's body, and each line of its head, in bytes.
const maxAnswer = 16 << 10

// answer is an HTTP/1.1 response. Its body lies in the reader's buffer and is
// good until the next read; it is not yet discarded from there.
type answer struct {
	status int
	close  bool // the server closes the connection
	body   []byte
}

var (
	errStatusLine = errors.New("no HTTP/1.1 status line")
	errLength     = errors.New("no Content-Length, or a bad one")
	errNoToken    = errors.New("no access_token of three parts in the answer")
)

// readAnswer reads a response with a Content-Length (RFC 9112 §6.2), the only
// kind that a short answer of net/http is.
func readAnswer(r *bufio.Reader) (answer, error) {
	a := answer{}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return a, fmt.Errorf("read status line: %w", err)
	}
	if a.status, err = status(line); err != nil {
		return a, err
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return a, fmt.Errorf("read head: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, errLength
			}
		case bytes.EqualFold(name, []byte("Connection")):
			a.close = a.close || bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 || length > maxAnswer {
		return a, errLength
	}
	if a.body, err = r.Peek(length); err != nil {
		return a, fmt.Errorf("read body: %w", err)
	}
	return a, nil
}

// status reads `HTTP/1.1 200 OK`.
func status(line []byte) (int, error) {
	const prefix = "HTTP/1.1 "
	if len(line) < len(prefix)+3 || string(line[:len(prefix)]) != prefix {
		return 0, errStatusLine
	}
	n, err := strconv.Atoi(string(line[len(prefix) : len(prefix)+3]))
	if err != nil || n < 100 {
		return 0, errStatusLine
	}
	return n, nil
}

// accessToken finds the token in a JSON answer without decoding it all.
func accessToken(body []byte) ([]byte, error) {
	_, rest, ok := bytes.Cut(body, []byte(`"access_token"`))
	if !ok {
		return nil, errNoToken
	}
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	if len(rest) == 0 || rest[0] != '"' {
		return nil, errNoToken
	}
	token, _, ok := bytes.Cut(rest[1:], []byte(`"`))
	if !ok || bytes.Count(token, []byte(".")) != 2 {
		return nil, errNoToken
	}
	return token, nil
}

// algorithm reads `alg` from the header of a JWS (RFC 7515 §4.1.1).
func algorithm(token []byte) (string, error) {
	part, _, _ := bytes.Cut(token, []byte("."))
	data, err := base64.RawURLEncoding.AppendDecode(nil, part)
	if err != nil {
		return "", fmt.Errorf("read header of token: %w", err)
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err := json.Unmarshal(data, &header); err != nil {
		return "", fmt.Errorf("read header of token: %w", err)
	}
	return header.Algorithm, nil
}
