package declare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

func with(t testing.TB, reg *registry.Registry, o declare.Options, files ...declare.File) (declare.Result, error) {
	objects, _ := declare.Parse(files)
	return declare.Apply(t.Context(), reg, by, objects, o)
}

func rehearsed(t testing.TB, reg *registry.Registry, o declare.Options, files ...declare.File) (declare.Result, error) {
	objects, _ := declare.Parse(files)
	return declare.Rehearse(t.Context(), reg, by, objects, o)
}

// told is the outcomes in their order.
func told(r declare.Result) string {
	var list []string
	for _, item := range r.Items {
		list = append(list, string(item.Kind)+" "+string(item.Outcome))
	}
	return strings.Join(list, ", ")
}

func file(name, content string) declare.File { return declare.File{Name: name, Content: b(content)} }

// An object belongs to one set. What is nobody's becomes the set's, what is another's is
// refused with both names, or taken over where that is said.
func TestSets(t *testing.T) {
	reg := newRegistry(t)
	core, other := declare.Options{Set: "core"}, declare.Options{Set: "other"}
	origin := func() string {
		p, err := reg.GetPolicy(t.Context(), "reader")
		if err != nil {
			t.Fatal(err)
		}
		return p.Origin
	}
	expect := func(o declare.Options, name, want, from string) {
		t.Helper()
		dry, err := rehearsed(t, reg, o, file(name, policyFile))
		if err != nil || told(dry) != want {
			t.Errorf("dry: %s, want %s: %v", told(dry), want, err)
		}
		done, err := with(t, reg, o, file(name, policyFile))
		if err != nil || told(done) != want || origin() != from {
			t.Errorf("%s, want %s, from %s, want %s: %v", told(done), want, origin(), from, err)
		}
	}
	if _, _, err := reg.PutPolicy(t.Context(), by, domain.Policy{Name: "reader", Actions: map[string]string{"a": "b"}}, 0); err != nil {
		t.Fatal(err)
	}
	expect(core, "a.yaml", "policy adopted", "core/a.yaml")
	expect(core, "a.yaml", "policy unchanged", "core/a.yaml")
	expect(core, "below/b.yaml", "policy updated", "core/below/b.yaml")
	expect(declare.Options{}, "sample.yaml", "policy unchanged", "core/below/b.yaml") // it is a set's
	before := seq(t, reg)
	_, err := with(t, reg, other, file("x.yaml", policyFile))
	want := "x.yaml:1: declares policy reader for set other, but it belongs to set core (below/b.yaml); keep it in one of them, or say --take-over to make it other's"
	if err == nil || err.Error() != want || seq(t, reg) != before {
		t.Errorf("%v, want %s", err, want)
	}
	other.TakeOver = true
	expect(other, "x.yaml", "policy taken over", "other/x.yaml")
	if got, err := reg.Release(t.Context(), by, domain.KindPolicy, "reader"); got != "other/x.yaml" || err != nil || origin() != "" {
		t.Errorf("%s, %v", got, err)
	}
	before = seq(t, reg)
	if got, err := reg.Release(t.Context(), by, domain.KindPolicy, "reader"); got != "" || err != nil || seq(t, reg) != before {
		t.Errorf("of nobody's: %s, %v", got, err)
	}
	if _, err := reg.Release(t.Context(), by, domain.KindPolicy, "none"); !errors.Is(err, domain.ErrNotFound) {
		t.Error(err)
	}
	expect(declare.Options{}, "sample.yaml", "policy unchanged", "")
}

// What a set owns is changed by its files only; and each kind can be taken over and released.
func TestEveryKindIsOwned(t *testing.T) {
	reg := newRegistry(t)
	if _, err := with(t, reg, declare.Options{Set: "core"}, guarded()...); err != nil {
		t.Fatal(err)
	}
	local, note := reg.As(domain.Local(by)), func(c *domain.Client) error { c.Note = "x"; return nil }
	if _, err := local.UpdateClient(t.Context(), by, "main", clientID, 0, note); !errors.Is(err, registry.ErrDeclared) {
		t.Errorf("changed elsewhere: %v", err)
	}
	r, err := with(t, reg, declare.Options{Set: "two", TakeOver: true}, guarded()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range r.Items {
		if item.Outcome != declare.TakenOver || item.Was != "core/"+item.File {
			t.Errorf("%+v", item)
		}
		if got, err := reg.Release(t.Context(), by, item.Kind, item.Key); got != "two/"+item.File || err != nil {
			t.Errorf("%s %s: %s, %v", item.Kind, item.Key, got, err)
		}
	}
	if _, err := local.UpdateClient(t.Context(), by, "main", clientID, 0, note); err != nil {
		t.Errorf("released: %v", err)
	}
	feed, err := reg.Store.Follow(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	actions := make(map[string]int)
	for _, c := range feed {
		actions[c.Action]++
	}
	for kind, n := range map[string]int{"tier": 2, "policy": 2, "issuer": 2, "tenant": 2, "api": 2, "client": 4} {
		if actions[kind+".release"] != n {
			t.Errorf("%s: %d releases told, want %d", kind, actions[kind+".release"], n)
		}
	}
}

func TestSetOf(t *testing.T) {
	for dir, want := range map[string]string{
		"/etc/Postern Objects_v2": "postern-objects-v2", "/a/b/": "b", "/x/é": "", "/": "",
		"/x/" + strings.Repeat("a", 62) + ".b": strings.Repeat("a", 62),
	} {
		if got, err := declare.SetOf(dir); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v, want %q", dir, got, err, want)
		}
	}
	for _, o := range []declare.Options{{Set: "A"}, {Set: "a/b"}, {Set: "-"}, {Prune: true}, {TakeOver: true}, {Set: strings.Repeat("a", 64)}} {
		if _, err := with(t, newRegistry(t), o, file("a.yaml", tierFile)); err == nil || !strings.HasPrefix(err.Error(), "set: set: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// D-109: the name of a file is a place in the directory, and nothing else, before it
// becomes an origin; D-108: one line.
func TestNamesOfFiles(t *testing.T) {
	reg := newRegistry(t)
	before := seq(t, reg)
	for _, name := range []string{"../a.yaml", "/etc/a.yaml", "a/../b.yaml", "a\nb.yaml", "a\x1b[2J.yaml", "", "./a.yaml", strings.Repeat("a", 513)} {
		if _, err := with(t, reg, declare.Options{Set: "core"}, file(name, tierFile)); err == nil || !strings.Contains(err.Error(), "is no name of a file in a directory") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if seq(t, reg) != before {
		t.Error("something was changed")
	}
}

// D-112: a directory with anything broken in it changes nothing, whatever else is asked,
// and what was applied before holds.
func TestBrokenChangesNothing(t *testing.T) {
	reg := newRegistry(t)
	if _, err := with(t, reg, declare.Options{Set: "core"}, guarded()...); err != nil {
		t.Fatal(err)
	}
	before := seq(t, reg)
	for name, broken := range map[string]string{
		"no YAML": "kind: [\n", "a field too many": tierFile + "x: 1\n", "a tier of nothing": "kind: Tier\nname: none\nper_minute: 0\n",
		"a reference to nothing":  strings.Replace(clientFile, "2222\n", "2229\n", 1) + "policies: [none]\n",
		"a bomb":                  "kind: &a Policy\nname: *a\n",
		"of what would be pruned": "kind: Client\nissuer: main\nid: " + clientID + "\nname: n\nplatform_wide: true\naudiences: [a]\n",
	} {
		files := []declare.File{file("a.yaml", strings.Replace(tierFile, "5", "6", 1)), file("new.yaml", strings.Replace(policyFile, "reader", "new", 1)), file("z.yaml", broken)}
		for _, o := range []declare.Options{{Set: "core", Prune: true, PruneAll: true}, {Set: "core", Prune: true, TakeOver: true}} {
			if _, err := with(t, reg, o, files...); err == nil || seq(t, reg) != before {
				t.Errorf("%s: %v, %d changes", name, err, seq(t, reg)-before)
			}
			if _, err := rehearsed(t, reg, o, files...); err == nil {
				t.Errorf("%s: the rehearsal does not tell", name)
			}
		}
	}
}

// A rehearsal tells what applying then does, warnings and all, and changes nothing.
func TestRehearse(t *testing.T) {
	reg := newRegistry(t)
	core := declare.Options{Set: "core"}
	first := guarded()
	second := guarded()
	second[2].Content = b(strings.Replace(string(second[2].Content), "  studies:read: read studies", "  studies:list: list studies", 1))
	second[1].Content = b(strings.Replace(tenantFile, "[s1, \"2\"]", "[s1]", 1) + "---\n" + issuerFile)
	second[0].Content = b(strings.Replace(clientFile, "ids: [2]", "ids: [s1]", 1))
	second[3].Content = b(strings.Replace(string(second[3].Content), "ids: [2]", "all: true", 1))
	for i, files := range [][]declare.File{first, second, second, graphed(nil)} {
		before := seq(t, reg)
		dry, err := rehearsed(t, reg, core, files...)
		if err != nil || seq(t, reg) != before || dry.Secrets != nil {
			t.Fatalf("%d: %v, %d changes, %d secrets", i, err, seq(t, reg)-before, len(dry.Secrets))
		}
		done, err := with(t, reg, core, files...)
		if err != nil {
			t.Fatal(err)
		}
		for n, item := range dry.Items {
			if (item.Differences == nil) != (item.Outcome == declare.Unchanged) {
				t.Errorf("%d: %s %s is %s with %d differences", i, item.Kind, item.Key, item.Outcome, len(item.Differences))
			}
			dry.Items[n].Differences = nil
		}
		if diff := cmp.Diff(done.Items, dry.Items); diff != "" {
			t.Errorf("%d: -done +rehearsed\n%s", i, diff)
		}
	}
}

// D-37: no secret and no hash is in what a rehearsal tells.
func TestRehearsalTellsNoSecret(t *testing.T) {
	reg := newRegistry(t)
	dry, err := rehearsed(t, reg, declare.Options{Set: "core"}, guarded()...)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(dry)
	for _, word := range []string{"pst_", "hash", "secret", "Secret", "epoch"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in %s", word, text)
		}
	}
}
