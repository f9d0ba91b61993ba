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
	line, err := bufio.NewReaderSize(io.LimitReader(s.in, maxSecretLine), maxSecretLine).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", misuse{hinted{errors.New("there is no secret on standard input"), "pipe it in, as in: postern … < secret.txt"}}
	}
	return oauth.Secret(line), nil
}
