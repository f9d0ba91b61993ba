package main

import (
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

// take makes a link and hands it over. One that was made and not written would be lost, and
// have ended the one before.
func (c linkFile) take(s *streams, of string, link func() (admin.NewLink, error)) error {
	var made admin.NewLink
	file, err := opened("--link-file", c.LinkFile, func() (err error) {
		made, err = link()
		return err
	})
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
	if err := writeLine(file, l.Link); err != nil {
		return err
	}
	s.say("the link of %s is in %s and nowhere else, good once%s; they give it to `postern admin accept`", of, c.LinkFile, lives)
	if handed.Link, handed.File = "", c.LinkFile; c.JSON {
		return s.json(handed)
	}
	return nil
}
