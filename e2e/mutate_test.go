package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/oauth/dialect/dialecttest"
)

// smoke is every which mutant is played without POSTERN_MUTATE=1.
const smoke = 16

// Every dialect file with one field changed (package dialecttest) must fail its
// conversation: else nothing would tell that the field is wrong. POSTERN_MUTATE=1 (make
// mutate) plays all mutants, else a few, so that the mechanism is known to work.
func TestMutations(t *testing.T) {
	for _, s := range readScripts(t) {
		file := s.dialect
		if file == "" {
			file = filepath.Join("../oauth/dialect", s.name+".yaml")
		}
		if s.name == common {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			mutate(t, s, file)
		})
	}
}

// mutant is a dialect file, and the name under which it is loaded.
type mutant struct {
	dialecttest.Mutation
	name string
}

var nameLine = regexp.MustCompile(`(?m)^name: .*$`)

// mutants writes the files. The first is the original: the control.
func mutants(t *testing.T, s *script, file string) (list []mutant, files []string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := dialecttest.Mutations(file, data)
	if err != nil {
		t.Fatal(err)
	}
	all := os.Getenv("POSTERN_MUTATE") == "1"
	for i, m := range append([]dialecttest.Mutation{{Data: data}}, changed...) {
		if !all && i%smoke != 0 {
			continue
		}
		name := fmt.Sprintf("%s-m%d", s.name, i)
		path := filepath.Join(t.TempDir(), name+".yaml")
		renamed := nameLine.ReplaceAll(m.Data, []byte("name: "+name))
		if err := os.WriteFile(path, renamed, 0o600); err != nil {
			t.Fatal(err)
		}
		list, files = append(list, mutant{m, name}), append(files, path)
	}
	return list, files
}

func mutate(t *testing.T, s *script, file string) {
	list, files := mutants(t, s, file)
	w := open(t, func(c *config.Config) { c.Dialects = files; c.Log.Level = "error" })
	played := 0
	for i, m := range list {
		err := playAll(w, s, m.name, i)
		w.clock.tick(2 * time.Minute) // sources are forgiven
		played++
		switch {
		case i == 0 && err != nil:
			t.Fatalf("the unchanged dialect: %v", err)
		case i > 0 && err == nil:
			t.Errorf("survives: %s from %s to %s (rare: %t)", m.Field, m.From, m.To, m.Rare)
		case i > 0 && testing.Verbose():
			t.Logf("%s to %.40s: %.150s", m.Field, m.To, strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
	t.Logf("%s: %d mutants", s.name, played-1)
}

// playAll plays a conversation under a name and returns the first failure.
func playAll(w *world, s *script, name string, nth int) error {
	p, err := newPlayer(w, s, name, name)
	if err != nil {
		return err
	}
	p.source = func(section int) net.IP { return net.IPv4(127, byte(1+nth/250), byte(section), byte(1+nth%250)) }
	for i := range s.sections {
		if err := p.play(i); err != nil {
			return fmt.Errorf("%s: %w", s.sections[i].name, err)
		}
	}
	return nil
}

// common is the conversation about what holds for all dialects.
const common = "common"
