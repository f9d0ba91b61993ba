package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

type adminAcceptCommand struct {
	remote
	Name         string `arg:"" optional:"" help:"The name to sign in with; only the first administrator chooses one."`
	LinkFile     string `name:"link-file" required:"" placeholder:"FILE" help:"The link, in a file that nobody else may read: that of the first administrator is bootstrap-link in the data directory."`
	PasswordFile string `name:"password-file" placeholder:"FILE" help:"Read the password from this file, which nobody else may be able to read; left out: it is asked for, or the first line of standard input."`
	JSON         bool   `name:"json" help:"Print JSON."`
}

// Run sets a password.
func (c adminAcceptCommand) Run(ctx context.Context, s *streams) error {
	link, err := readPrivate(c.LinkFile)
	if err != nil {
		return fmt.Errorf("--link-file: %w", err)
	}
	password, err := c.password(s)
	if err != nil {
		return err
	}
	done, err := c.dial().AcceptLink(ctx, signin.Acceptance{Token: oauth.Secret(strings.TrimSpace(link)), Name: c.Name, Password: password})
	if err != nil {
		return err
	}
	s.say("%s has a password, and administers as %s; the link is worth nothing now", done.Name, done.Role)
	if c.JSON {
		return s.json(done)
	}
	return nil
}

// password is never an argument (D-111).
func (c adminAcceptCommand) password(s *streams) (oauth.Secret, error) {
	if c.PasswordFile != "" {
		text, err := readPrivate(c.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		return secretLine(strings.NewReader(text))
	}
	file, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) { //nolint:gosec // a file descriptor
		return readSecret(s)
	}
	ask := func(what string) (string, error) {
		_, _ = fmt.Fprint(s.err, what)                 // nobody is left to tell
		text, err := term.ReadPassword(int(file.Fd())) //nolint:gosec // a file descriptor
		s.words("")
		return string(text), err
	}
	first, err := ask("New password: ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	again, err := ask("Once more: ")
	switch {
	case err != nil:
		return "", fmt.Errorf("read the password: %w", err)
	case first != again:
		return "", misuse{errors.New("the two are not the same; nothing was changed")}
	}
	return oauth.Secret(first), nil
}

type adminRecoverCommand struct {
	remote
	linkFile
	Name string `arg:"" help:"The name to sign in with; somebody of that name is made where there is nobody."`
	Yes  bool   `name:"yes" help:"Do not ask."`
}

// Run lets somebody in again. It ends their sessions and is in the audit log.
func (c adminRecoverCommand) Run(ctx context.Context, s *streams) error {
	if !c.Yes {
		_, _ = fmt.Fprintf(s.err, "postern: %s becomes a platform admin, enabled, with a new password; write yes to go on: ", c.Name)
		line, _ := bufio.NewReader(s.in).ReadString('\n') // what cannot be read is no yes
		if !strings.HasSuffix(line, "\n") {
			s.words("")
		}
		if strings.TrimSpace(line) != "yes" {
			return misuse{hinted{errors.New("nothing was changed"), "answer yes, or add --yes"}}
		}
	}
	return c.take(s, c.Name, func() (admin.NewLink, error) { return c.dial().Recover(ctx, c.Name) })
}
