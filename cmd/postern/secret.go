package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

const maxSecretLine = 4096 // bytes; longer than anything that is accepted

// readSecret reads one line from standard input: secrets are never arguments
// (D-111).
func readSecret(s *streams) (oauth.Secret, error) {
	line, err := secretLine(s.in)
	if err == nil && line == "" {
		err = misuse{hinted{errors.New("there is no secret on standard input"), "pipe it in, as in: postern … < secret.txt"}}
	}
	return line, err
}

// secretLine reads the first line, without its end.
func secretLine(in io.Reader) (oauth.Secret, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(in, maxSecretLine), maxSecretLine).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return oauth.Secret(strings.TrimRight(line, "\r\n")), nil
}
