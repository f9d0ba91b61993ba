package e2e

import (
	"testing"

	"github.com/postern-dev/postern/internal/config"
)

// Every conversation, with the real server over TCP.
func TestConversations(t *testing.T) {
	for _, s := range readScripts(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dialect := s.name
			w := open(t, func(c *config.Config) {
				if s.dialect != "" {
					c.Dialects = []string{s.dialect}
				}
			})
			p, err := newPlayer(w, s, s.name, dialect)
			if err != nil {
				t.Fatal(err)
			}
			for i, section := range s.sections {
				t.Run(section.name, func(t *testing.T) {
					if err := p.play(i); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}
