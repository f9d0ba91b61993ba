package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/oauth"
)

// remote says which running server a command speaks to: the one whose admin socket
// lies in the data directory, or one over the network.
type remote struct {
	Data      string `name:"data" default:"data" env:"POSTERN_DATA" placeholder:"DIR" help:"Data directory of the running server (${env}; left out: ./data)."`
	Socket    string `name:"socket" placeholder:"FILE" help:"Its admin socket, where that is not admin.sock in --data."`
	Server    string `name:"server" env:"POSTERN_SERVER" placeholder:"URL" help:"Instead: the address of its surface admin, as in https://admin.example.com (${env})."`
	TokenFile string `name:"token-file" env:"POSTERN_TOKEN_FILE" placeholder:"FILE" help:"With --server: the file of an API key, or of a token of the management issuer, that nobody else may read (${env})."`
}

func (r remote) dial() *admin.Conn {
	switch {
	case r.Socket != "":
		return admin.Dial(r.Socket)
	case r.Server == "":
		return admin.Dial(server.Socket(filepath.Clean(r.Data)))
	case r.TokenFile == "":
		return admin.Unusable(misuse{hinted{errors.New("--server is given and --token-file is not"), "put an API key or a token of the management issuer into a file, mode 0600, and name it in --token-file or POSTERN_TOKEN_FILE"}})
	}
	text, err := readPrivate(r.TokenFile) // never an argument (D-111)
	if err != nil {
		return admin.Unusable(fmt.Errorf("--token-file: %w", err))
	}
	token := strings.TrimSpace(text)
	switch {
	case token == "":
		return admin.Unusable(misuse{fmt.Errorf("--token-file: %s is empty", r.TokenFile)})
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return admin.Unusable(misuse{hinted{fmt.Errorf("--token-file: %s holds more than a key or a token", r.TokenFile), "it must hold pak_…, or the access_token alone, and nothing else"}})
	}
	conn, err := admin.DialURL(r.Server, oauth.Secret(token))
	if err != nil {
		return admin.Unusable(misuse{fmt.Errorf("--server: %w", err)})
	}
	return conn
}

// flags are those that name the same server in a command that is printed to be pasted.
func (r remote) flags() (text string) {
	name := func(flag, value, env, otherwise string) {
		if value != cmp.Or(os.Getenv(env), otherwise) {
			text += " --" + flag + " " + quoted(value)
		}
	}
	switch {
	case r.Socket != "":
		name("socket", r.Socket, "", "")
	case r.Server != "":
		name("server", r.Server, "POSTERN_SERVER", "")
		name("token-file", r.TokenFile, "POSTERN_TOKEN_FILE", "")
	default:
		name("data", filepath.Clean(r.Data), "POSTERN_DATA", "data")
	}
	return text
}

// issuerFlag names the issuer of what a command is about.
type issuerFlag struct {
	Issuer string `name:"issuer" placeholder:"NAME" help:"The issuer; may be left out where there is one only."`
}

// resolve is the name given, or that of the only issuer.
func (f issuerFlag) resolve(ctx context.Context, conn *admin.Conn) (string, error) {
	if f.Issuer != "" {
		return f.Issuer, nil
	}
	list, err := conn.ListIssuers(ctx)
	if err != nil {
		return "", err
	}
	switch len(list) {
	case 0:
		return "", hinted{errors.New("this server has no issuer yet"), "bring one in with `postern apply -f DIR` (docs/objects.md)"}
	case 1:
		return list[0].Name, nil
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return "", misuse{hinted{errors.New("--issuer is missing, and there are several"), "name one of " + strings.Join(names, ", ")}}
}

// say prints a line for people, marked as ours.
func (s *streams) say(format string, args ...any) { s.words("postern: "+format, args...) }

// hint prints what to do or to know beside it.
func (s *streams) hint(format string, args ...any) { s.words("hint: "+format, args...) }

// json prints data for programs.
func (s *streams) json(v any) error {
	out := json.NewEncoder(s.out)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}
