package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
)

type keyCommand struct {
	List   keyListCommand   `cmd:"" help:"List the signing keys of an issuer."`
	Rotate keyRotateCommand `cmd:"" help:"Replace a signing key of an issuer; no valid token fails."`
	Import keyImportCommand `cmd:"" help:"Take over a private JWK of another system, read from standard input."`
	Master keyMasterCommand `cmd:"" help:"Make the file of a master key, which seals everything secret in the store."`
}

type keyListCommand struct {
	remote
	issuerFlag
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints a line for each key.
func (c keyListCommand) Run(ctx context.Context, s *streams) error {
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	list, err := conn.ListKeys(ctx, issuer)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(list)
	}
	rows := [][]string{{"KID", "PURPOSE", "ALGORITHM", "STATE", "SIGNS FROM", "SIGNS UNTIL", "PUBLISHED UNTIL"}}
	for i := range list {
		k := &list[i]
		from, until := moment(&k.SignFrom), moment(k.SignUntil)
		if k.VerifyOnly {
			from, until = "", ""
		}
		rows = append(rows, []string{k.ID, string(k.Purpose), k.Algorithm, keyState(k, time.Now()), dash(from), dash(until), dash(moment(k.Expires))})
	}
	return s.list(rows)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// keyState is one word for what a key does now.
func keyState(k *admin.Key, now time.Time) string {
	switch {
	case k.Signs:
		return "signs"
	case k.Expires != nil && !now.Before(*k.Expires):
		return "expired"
	case !k.VerifyOnly && now.Before(k.SignFrom) && (k.SignUntil == nil || k.SignFrom.Before(*k.SignUntil)):
		return "waits"
	}
	return "verifies"
}

type keyRotateCommand struct {
	remote
	issuerFlag
	Purpose domain.Purpose `name:"purpose" enum:"access,identity" default:"access" help:"Which key: that of access tokens, or of the identities that upstreams are shown."`
	Now     bool           `name:"now" help:"The new key signs at once; whoever caches the keys may refuse its tokens until they look again."`
	Kill    bool           `name:"kill" help:"All other keys for the purpose are worth nothing from now on: every token of the issuer under them is dead."`
	JSON    bool           `name:"json" help:"Print the new key as JSON."`
}

// Run replaces the key.
func (c keyRotateCommand) Run(ctx context.Context, s *streams) error {
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	made, err := conn.RotateKey(ctx, issuer, admin.Rotation{Purpose: c.Purpose, Now: c.Now, Kill: c.Kill})
	if err != nil {
		return err
	}
	switch {
	case c.Kill:
		s.say("key %s signs for issuer %s; every token from before is dead", made.ID, issuer)
	case made.Signs:
		s.say("key %s signs for issuer %s from now on; the one before it verifies until its last token has expired", made.ID, issuer)
	default:
		s.say("key %s is published for issuer %s, and signs from %s on", made.ID, issuer, moment(&made.SignFrom))
	}
	return printKey(s, made, c.JSON)
}

func printKey(s *streams, k admin.Key, asJSON bool) error {
	if asJSON {
		return s.json(k)
	}
	return s.table([][]string{{"kid", k.ID}})
}

type keyImportCommand struct {
	remote
	issuerFlag
	File              string `name:"file" placeholder:"FILE" help:"Read the JWK from this file, which nobody else may be able to read."`
	Sign              bool   `name:"sign" help:"It signs from now on; otherwise it only verifies."`
	WithoutEpochUntil string `name:"without-epoch-until" placeholder:"DATE" help:"Accept tokens under it that carry no epoch until then: those of the other system."`
	JSON              bool   `name:"json" help:"Print the key as JSON."`
}

// Run takes over a key.
func (c keyImportCommand) Run(ctx context.Context, s *streams) error {
	in := admin.ImportedKey{Sign: c.Sign}
	if c.WithoutEpochUntil != "" {
		at, err := parseTime(c.WithoutEpochUntil)
		if err != nil {
			return misuse{fmt.Errorf("--without-epoch-until: %w", err)}
		}
		in.WithoutEpochUntil = &at
	}
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	if in.JWK, err = c.jwk(s); err != nil {
		return err
	}
	made, err := conn.ImportKey(ctx, issuer, in)
	if err != nil {
		return err
	}
	does := "verifies"
	if c.Sign {
		does = "signs from now on"
	}
	s.say("key %s was taken over into issuer %s and %s", made.ID, issuer, does)
	return printKey(s, made, c.JSON)
}

// jwk reads the private key: secrets are never arguments (D-111).
func (c keyImportCommand) jwk(s *streams) ([]byte, error) {
	var text string
	if c.File != "" {
		var err error
		if text, err = readPrivate(c.File); err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
	} else {
		data, err := io.ReadAll(io.LimitReader(s.in, maxInput))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		text = string(data)
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return nil, misuse{hinted{errors.New("there is no private JWK"), "pipe in one JSON object (RFC 7517), as in: postern key import … < key.jwk"}}
	}
	return []byte(text), nil
}

type keyMasterCommand struct {
	File string `arg:"" help:"The new file."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run makes the file, and prints what the key is called.
func (c keyMasterCommand) Run(s *streams) error {
	m, err := seal.NewMaster(c.File)
	if err != nil {
		return err
	}
	s.say("%s holds a new master key; without it the store is worth nothing", c.File)
	s.hint("keep a copy of it elsewhere than the copies of the store")
	if c.JSON {
		return s.json(struct {
			ID   string `json:"id"`
			File string `json:"file"`
		}{m.ID(), c.File})
	}
	return nil
}
