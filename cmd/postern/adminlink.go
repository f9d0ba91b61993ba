package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/postern-dev/postern/internal/admin"
)

// linkFile says where a link goes.
type linkFile struct {
	LinkFile string `name:"link-file" placeholder:"FILE" help:"Write the link to this new file, mode 0600, instead of printing it."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// handedLink is what is printed of a link as JSON.
type handedLink struct {
	Name    string     `json:"name"`
	Link    string     `json:"link,omitempty"`
	File    string     `json:"link_file,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

// take makes a link and hands it over. Where it is to go is opened first: one that was made
// and not written is lost, and ends the one before.
func (c linkFile) take(s *streams, of string, link func() (admin.NewLink, error)) error {
	var file *os.File
	if c.LinkFile != "" {
		var err error
		if file, err = newPrivate(c.LinkFile); err != nil {
			return fmt.Errorf("--link-file: %w", err)
		}
	}
	made, err := link()
	if err != nil && file != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	if err != nil {
		return err
	}
	return c.handOver(s, &made, of, file)
}

// handOver prints the link, or keeps it in the file.
func (c linkFile) handOver(s *streams, l *admin.NewLink, of string, file *os.File) error {
	lives := ""
	if l.Expires != nil {
		lives = " until " + moment(l.Expires)
	}
	handed := handedLink{Name: of, Link: l.Link, Expires: l.Expires}
	if file == nil {
		s.say("the link of %s is good once%s; they give it to `postern admin accept`:", of, lives)
		if c.JSON {
			return s.json(handed)
		}
		s.data("%s", l.Link)
		return nil
	}
	_, err := file.WriteString(l.Link + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	s.say("the link of %s is in %s and nowhere else, good once%s; they give it to `postern admin accept`", of, c.LinkFile, lives)
	if handed.Link, handed.File = "", c.LinkFile; c.JSON {
		return s.json(handed)
	}
	return nil
}
