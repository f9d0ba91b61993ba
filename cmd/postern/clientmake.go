package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/oauth"
)

type clientCreateCommand struct {
	remote
	issuerFlag
	clientFlags
	newSecret
	ID string `name:"id" placeholder:"UUID" help:"Its id; left out: a random one."`
}

// newSecret says where the secret that a command makes goes.
type newSecret struct {
	SecretFile string `name:"secret-file" placeholder:"FILE" help:"Write the secret to this new file, mode 0600, instead of printing it."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// createdClient is what commands that make a secret print with --json.
type createdClient struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret,omitempty"` //nolint:gosec // shown once, to whoever made it
	File   string `json:"secret_file,omitempty"`
	Issuer string `json:"issuer"`
	Name   string `json:"name"`
}

// Run makes a client.
func (c clientCreateCommand) Run(ctx context.Context, s *streams) error {
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	spec, err := c.client(issuer, c.ID)
	if err != nil {
		return err
	}
	made, lost, err := c.take(s, func() (admin.CreatedClient, error) { return conn.CreateClient(ctx, spec) })
	if lost != nil {
		return hinted{fmt.Errorf("client %s was made, but its secret could not be handed over: %w", made.ID, lost),
			fmt.Sprintf("postern client delete%s --issuer %s %s, and make it anew", c.flags(), issuer, quoted(made.ID))}
	}
	return err
}

// take makes the secret and hands it over. One that was made and not written is lost, which is
// an error of its own.
func (c newSecret) take(s *streams, secret func() (admin.CreatedClient, error)) (made admin.CreatedClient, lost, err error) {
	file, err := opened("--secret-file", c.SecretFile, func() (err error) {
		made, err = secret()
		return err
	})
	if err != nil {
		return made, nil, err
	}
	return made, c.handOver(s, made, file), nil
}

// handOver prints the client with its secret, or keeps the secret in the file.
func (c newSecret) handOver(s *streams, made admin.CreatedClient, file *os.File) error {
	shown := createdClient{ID: made.ID, Secret: made.Secret, Issuer: made.Issuer, Name: made.Name}
	if file != nil {
		if err := writeLine(file, made.Secret); err != nil {
			return err
		}
		shown.Secret, shown.File = "", c.SecretFile
	}
	if c.JSON {
		return s.json(shown)
	}
	rows := [][]string{{"client_id", shown.ID}}
	if shown.Secret != "" {
		rows = append(rows, []string{"client_secret", shown.Secret})
	}
	if err := s.table(rows); err != nil {
		return err
	}
	if file == nil {
		s.say("the secret is shown this once and kept nowhere; store it where the client reads it")
	} else {
		s.say("the secret is in %s and nowhere else", c.SecretFile)
	}
	return nil
}

type clientImportCommand struct {
	remote
	issuerFlag
	clientFlags
	ID         string `name:"id" required:"" placeholder:"ID" help:"Its id in the other system."`
	SecretFile string `name:"secret-file" placeholder:"FILE" help:"Read the secret from this file instead, which nobody else may be able to read."`
	Hash       bool   `name:"hash" help:"What is read is the hash of the secret: argon2id, bcrypt or PBKDF2-SHA256."`
	JSON       bool   `name:"json" help:"Print the client as JSON."`
}

// Run takes over a client.
func (c clientImportCommand) Run(ctx context.Context, s *streams) error {
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	spec, err := c.client(issuer, c.ID)
	if err != nil {
		return err
	}
	read, err := c.secret(s)
	if err != nil {
		return err
	}
	in := admin.ImportedClient{NewClient: spec, Secret: string(read)}
	if c.Hash {
		in.Secret, in.Hash = "", string(read)
	}
	made, err := conn.ImportClient(ctx, in)
	if err != nil {
		return err
	}
	s.say("client %s (%s) was taken over into issuer %s, with the secret it has", made.ID, made.Name, made.Issuer)
	if c.JSON {
		return s.json(made)
	}
	return s.table([][]string{{"client_id", made.ID}})
}

func (c clientImportCommand) secret(s *streams) (oauth.Secret, error) {
	if c.SecretFile == "" {
		return readSecret(s)
	}
	data, err := readPrivate(c.SecretFile)
	if err != nil {
		return "", fmt.Errorf("--secret-file: %w", err)
	}
	line, err := secretLine(strings.NewReader(data))
	if err == nil && line == "" {
		err = misuse{fmt.Errorf("--secret-file: the first line of %s is empty", c.SecretFile)}
	}
	return line, err
}
