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

// directory is a directory of objects, and what may be done to bring it in.
type directory struct {
	remote
	Dir      string `name:"file" short:"f" required:"" placeholder:"DIR" help:"Directory of YAML files (docs/objects.md)."`
	Set      string `name:"set" placeholder:"NAME" help:"Whose the objects are from then on; left out: the name of the directory."`
	TakeOver bool   `name:"take-over" help:"Also what belongs to another set becomes this one's; otherwise it is refused."`
	Prune    bool   `name:"prune" help:"Delete what is of this set and no more in its files; nothing else."`
	PruneAll bool   `name:"prune-all" help:"As --prune, also where the directory holds no object at all."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// read reads the files.
func (d directory) read() (admin.Files, error) {
	out := admin.Files{Set: d.Set, TakeOver: d.TakeOver, Prune: d.Prune || d.PruneAll, PruneAll: d.PruneAll}
	files, err := declare.ReadDir(d.Dir)
	switch {
	case errors.Is(err, declare.ErrNoFiles) && d.PruneAll:
	case errors.Is(err, declare.ErrNoFiles) && d.Prune:
		return out, hinted{err, "--prune would delete all of the set; if that is meant, say --prune-all"}
	case err != nil:
		return out, err
	}
	if d.Set == "" {
		if out.Set, err = declare.SetOf(d.Dir); err != nil {
			return out, misuse{hinted{err, "name it with --set NAME"}}
		}
	}
	for _, f := range files {
		out.Files = append(out.Files, admin.File{Name: f.Name, Content: string(f.Content)})
	}
	return out, nil
}

type applyCommand struct {
	directory
	DryRun      bool   `name:"dry-run" help:"Check everything and change nothing: print what would be done (postern diff tells each difference)."`
	SecretsFile string `name:"secrets-file" placeholder:"FILE" help:"New file, mode 0600, for the secrets of new clients; left out: postern-secrets-TIME.json here."`
}

// applied is what `apply --json` prints: never a secret.
type applied struct {
	Set         string         `json:"set"`
	DryRun      bool           `json:"dry_run,omitempty"`
	Objects     []declare.Item `json:"objects"`
	SecretsFile string         `json:"secrets_file,omitempty"`
}

// Run sends the files to the server. The file of the secrets is made first: a secret
// that was made and not written is lost.
func (c applyCommand) Run(ctx context.Context, s *streams) (err error) {
	files, err := c.read()
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.rehearse(ctx, s, files)
	}
	if files.Prune && c.Set == "" {
		return misuse{hinted{errors.New("--prune deletes what is of the set and not in these files, and another directory of the same name would be of the same set"),
			fmt.Sprintf("say whose they are, --set %s; --prune --dry-run shows what would be deleted", files.Set)}}
	}
	if c.SecretsFile == "" {
		c.SecretsFile = "postern-secrets-" + time.Now().UTC().Format("20060102T150405.000Z") + ".json"
	}
	file, err := newPrivate(c.SecretsFile)
	if err != nil {
		return fmt.Errorf("--secrets-file: %w", err)
	}
	done, failed := c.dial().Apply(ctx, files)
	if err := keepSecrets(file, done.Secrets); err != nil {
		return errors.Join(fmt.Errorf("new clients were made, but their secrets could not be written; delete them and apply again: %w", err), failed)
	}
	if len(done.Secrets) == 0 {
		c.SecretsFile = ""
	}
	err = c.print(s, applied{Set: files.Set, Objects: done.Objects, SecretsFile: c.SecretsFile})
	if c.SecretsFile != "" {
		s.say("the %s of new clients: %s (mode 0600), and nowhere else", nouns(len(done.Secrets), "secret"), c.SecretsFile)
	}
	return errors.Join(failed, err)
}

// rehearse prints what would be done.
func (c applyCommand) rehearse(ctx context.Context, s *streams, files admin.Files) error {
	files.DryRun = true
	done, err := c.dial().Apply(ctx, files)
	if err != nil {
		return err
	}
	if err := c.print(s, applied{Set: files.Set, DryRun: true, Objects: done.Objects}); err != nil {
		return err
	}
	s.say("nothing was changed: this is what would be done")
	return nil
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
func (c applyCommand) print(s *streams, done applied) error {
	if c.JSON {
		return s.json(done)
	}
	if len(done.Objects) == 0 {
		s.say("no object stands in %s", c.Dir)
	}
	rows := make([][]string, 0, len(done.Objects))
	for i := range done.Objects {
		o := &done.Objects[i]
		rows = append(rows, []string{string(o.Outcome), string(o.Kind), nameOf(o)})
		warn(s, o, "since this change")
	}
	return s.list(rows)
}

func warn(s *streams, o *declare.Item, when string) {
	for _, w := range o.Warnings {
		s.say("warning: %s, %s: %s: %s", when, w.Object, w.Field, w.Message)
	}
}

// nameOf is the object as people know it.
func nameOf(o *declare.Item) string {
	name := o.Key
	if o.Kind == domain.KindClient {
		issuer, id, _ := strings.Cut(o.Key, "/")
		name = id + " of " + issuer
	}
	if o.Label != "" {
		name += " (" + o.Label + ")"
	}
	if o.Was != "" {
		name += ", was " + o.Was
	}
	return name
}
