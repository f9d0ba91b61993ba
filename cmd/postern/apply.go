package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
)

type applyCommand struct {
	remote
	Dir         string `name:"file" short:"f" required:"" placeholder:"DIR" help:"Directory of YAML files (docs/objects.md)."`
	SecretsFile string `name:"secrets-file" placeholder:"FILE" help:"New file, mode 0600, for the secrets of new clients; left out: postern-secrets-TIME.json here."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// applied is what `apply --json` prints: never a secret.
type applied struct {
	Objects     []declare.Item `json:"objects"`
	SecretsFile string         `json:"secrets_file,omitempty"`
}

// Run sends the files to the server. The file of the secrets is made first: a secret
// that was made and not written is lost.
func (c applyCommand) Run(ctx context.Context, s *streams) (err error) {
	files, err := declare.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	if c.SecretsFile == "" {
		c.SecretsFile = "postern-secrets-" + time.Now().UTC().Format("20060102T150405.000Z") + ".json"
	}
	file, err := newPrivate(c.SecretsFile)
	if err != nil {
		return fmt.Errorf("--secrets-file: %w", err)
	}
	sent := make([]admin.File, len(files))
	for i, f := range files {
		sent[i] = admin.File{Name: f.Name, Content: string(f.Content)}
	}
	done, failed := c.dial().Apply(ctx, sent)
	if err := keepSecrets(file, done.Secrets); err != nil {
		return errors.Join(fmt.Errorf("new clients were made, but their secrets could not be written; delete them and apply again: %w", err), failed)
	}
	if len(done.Secrets) == 0 {
		c.SecretsFile = ""
	}
	err = c.print(s, done.Objects)
	if c.SecretsFile != "" {
		s.say("the %s of new clients: %s (mode 0600), and nowhere else", nouns(len(done.Secrets), "secret"), c.SecretsFile)
	}
	return errors.Join(failed, err)
}

// keepSecrets writes the secrets of new clients to the file, and removes the file where
// there are none.
func keepSecrets(file *os.File, secrets []admin.NewSecret) error {
	if len(secrets) == 0 {
		return errors.Join(file.Close(), os.Remove(file.Name()))
	}
	data, err := json.MarshalIndent(secrets, "", "  ") // #nosec G117 -- the file exists to hold them, mode 0600
	if err == nil {
		_, err = file.Write(append(data, '\n'))
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// print says what became of each object.
func (c applyCommand) print(s *streams, list []declare.Item) error {
	if c.JSON {
		return s.json(applied{Objects: list, SecretsFile: c.SecretsFile})
	}
	rows := make([][]string, 0, len(list))
	for _, o := range list {
		name := o.Key
		if o.Kind == domain.KindClient {
			issuer, id, _ := strings.Cut(o.Key, "/")
			name = id + " of " + issuer
		}
		if o.Label != "" {
			name += " (" + o.Label + ")"
		}
		rows = append(rows, []string{string(o.Outcome), string(o.Kind), name})
		for _, w := range o.Warnings {
			s.say("warning: since this change, %s: %s: %s", w.Object, w.Field, w.Message)
		}
	}
	return s.list(rows)
}
