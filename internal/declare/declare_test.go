package declare_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/dialect"
)

const by = domain.Actor("local:7")

func newRegistry(t testing.TB) *registry.Registry {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(t.Context(), db, master, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Registry{Store: db, Dialects: dialect.Builtin(), Vault: vault, Now: time.Now}
}

// offline is a registry without a store, as `check` has it.
func offline() *registry.Registry { return &registry.Registry{Dialects: dialect.Builtin()} }

const (
	issuerFile = "kind: Issuer\nname: main\nurl: https://id.example.com\ndialect: trialbee\n"
	tenantFile = "kind: Tenant\nid: 11111111-1111-4111-8111-111111111111\nlabel: Tenant\nresources: {study: [s1, \"2\"]}\n"
	clientFile = "kind: Client\nissuer: main\nid: 22222222-2222-4222-8222-222222222222\nname: Billing\ntenant: 11111111-1111-4111-8111-111111111111\n" +
		"audiences: [https://api.example.com]\nresource_scope: {study: {ids: [2]}}\nlifetime: 30m\n"
	clientID = "22222222-2222-4222-8222-222222222222"
)

func all() []declare.File {
	return []declare.File{{Name: "a-client.yaml", Content: b(clientFile)}, {Name: "b.yaml", Content: b(tenantFile + "---\n" + issuerFile)}}
}

// b is the content of a file.
func b(s string) []byte { return []byte(s) }

// check is what `postern check` does.
func check(t testing.TB, reg *registry.Registry, files []declare.File) error {
	objects, formErr := declare.Parse(files)
	err := declare.Check(t.Context(), reg, objects)
	if formErr != nil && err == nil {
		t.Fatalf("Check does not tell what Parse tells: %v", formErr)
	}
	return err
}

func apply(t testing.TB, reg *registry.Registry, files []declare.File) (declare.Result, error) {
	objects, _ := declare.Parse(files) // Apply tells
	return declare.Apply(t.Context(), reg, by, objects, declare.Options{Set: "core"})
}

func seq(t *testing.T, reg *registry.Registry) domain.Seq {
	t.Helper()
	h, err := reg.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h.Seq
}

func TestApply(t *testing.T) {
	reg := newRegistry(t)
	apply := func(files []declare.File) declare.Result {
		t.Helper()
		result, err := apply(t, reg, files)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	outcomes := func(result declare.Result) (s string) {
		for _, r := range result.Items {
			s += string(r.Kind) + " " + string(r.Outcome) + " "
		}
		return strings.TrimSpace(s)
	}
	first := apply(all())
	if got := outcomes(first); got != "issuer created tenant created client created" {
		t.Fatal(got)
	}
	if len(first.Secrets) != 1 || len(first.Secrets[0].Secret) < 40 || first.Items[2].Label != "Billing" || first.Items[2].File != "a-client.yaml" {
		t.Errorf("%+v", first)
	}
	before := seq(t, reg)
	second := apply(all())
	if got := outcomes(second); got != "issuer unchanged tenant unchanged client unchanged" || second.Secrets != nil || seq(t, reg) != before {
		t.Errorf("%s; changes %d to %d", got, before, seq(t, reg))
	}
	files := all()
	files[0].Content = []byte(strings.Replace(clientFile, "30m", "45m", 1))
	if got := outcomes(apply(files)); got != "issuer unchanged tenant unchanged client updated" || seq(t, reg) != before+1 {
		t.Error(got)
	}
	c, err := reg.GetClient(t.Context(), "main", clientID)
	if err != nil || c.Lifetime != 2700 || c.Origin != "core/a-client.yaml" || len(c.Secrets) != 1 || c.ResourceScope["study"].IDs[0] != "2" {
		t.Errorf("%+v, %v", c, err)
	}
	// What an emergency disabled, no file enables by saying nothing.
	if _, err := reg.DisableClient(t.Context(), by, "main", clientID); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(apply(files)); got != "issuer unchanged tenant unchanged client unchanged" {
		t.Error(got)
	}
	files[0].Content = append(files[0].Content, "status: enabled\n"...)
	apply(files)
	if c, _ = reg.GetClient(t.Context(), "main", clientID); c.Status != domain.Enabled {
		t.Error("a file that says so must enable it")
	}
	feed, err := reg.Store.Follow(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(feed)
	if err != nil || strings.Contains(string(text), string(first.Secrets[0].Secret)) { // D-37
		t.Errorf("the secret is in the feed: %v", err)
	}
}

// An error in the midst keeps what was done, and above all the secrets made.
func TestApplyPartly(t *testing.T) {
	reg := newRegistry(t)
	if _, err := apply(t, reg, all()); err != nil {
		t.Fatal(err)
	}
	// Swapping hosts is right in the end, but not in between.
	files := []declare.File{{Name: "x.yaml", Content: b("kind: Issuer\nname: two\nurl: https://id.example.com\n---\n" + strings.Replace(issuerFile, "id.ex", "new.ex", 1))}}
	result, err := apply(t, reg, files)
	if err == nil || len(result.Items) != 0 || !strings.Contains(err.Error(), "apply issuer two (x.yaml:1)") {
		t.Errorf("%v, %v", result, err)
	}
}

func TestCheckProblems(t *testing.T) {
	for name, c := range map[string]struct {
		files []declare.File
		want  string
	}{
		"every one at once": {
			[]declare.File{
				{Name: "a.yaml", Content: b(strings.Replace(clientFile, "30m", "48h", 1) + "scopes: [\"a b\"]\nepoch: 7\n")},
				{Name: "b.yaml", Content: b("kind: Issuer\nname: main\nurl: http://id.example.com\n---\nkind: Client\nissuer: main\nname: x\nplatform_wide: true\naudiences: []\n---\n" + clientFile)},
				{Name: "c.yaml", Content: b("kind: [\n")},
			},
			"a.yaml:10: epoch is no field; there are issuer, id, name, tenant, platform_wide, status, scopes, audiences, policies, resource_scope, lifetime, tier, rate_limits, partner, scope_required, owner, contact, note, valid_until\n" +
				"b.yaml:3: url is http beyond this machine; an issuer is https (RFC 8414 §2)\n" +
				"b.yaml:5: id is missing; a file names a client by a UUID of your choice (uuidgen makes one), so that applying it twice makes one\n" +
				"b.yaml:11: declares client main/" + clientID + ", which stands in a.yaml:1 already; keep one\n" +
				"c.yaml:1: is not YAML: did not find expected node content",
		},
		"client": {
			[]declare.File{{Name: "a.yaml", Content: b(issuerFile + "---\n" + strings.NewReplacer("[2]", "[3]", "30m", "48h", "https://api", "https:// api").Replace(clientFile))}, {Name: "b.yaml", Content: b(tenantFile)}},
			"a.yaml:11: audiences[0] \"https:// api.example.com\" is no audience: 1 to 256 printable ASCII characters without spaces\n" +
				"a.yaml:12: resource_scope.study.ids[0] \"3\" is not a study of tenant Tenant\n" +
				"a.yaml:13: lifetime is 172800 seconds; dialect trialbee allows at most 86400",
		},
		"references": {
			[]declare.File{{Name: "a.yaml", Content: b(clientFile)}},
			"a.yaml:2: issuer there is no issuer \"main\"\na.yaml:5: tenant there is no tenant \"11111111-1111-4111-8111-111111111111\"",
		},
		"overlap": {
			[]declare.File{{Name: "a.yaml", Content: b(issuerFile)}, {Name: "b.yaml", Content: b(strings.Replace(issuerFile, "main", "two", 1))}},
			"", // either may be the first
		},
		"kind":    {[]declare.File{{Name: "a.yaml", Content: b("kind: Tombstone\n---\nname: x\n")}}, "a.yaml:1: kind \"Tombstone\" is not one of Tier, Policy, Issuer, Tenant, API, Client\na.yaml:3: kind is missing; an object begins with kind: and one of Tier, Policy, Issuer, Tenant, API, Client"},
		"alias":   {[]declare.File{{Name: "a.yaml", Content: b("kind: Issuer\nname: &a main\nurl: *a\n")}}, "a.yaml:2: name uses an anchor or an alias; write the value out\na.yaml:3: url uses an anchor or an alias; write the value out"},
		"secrets": {[]declare.File{{Name: "a.yaml", Content: b(issuerFile + "---\n" + tenantFile + "---\n" + clientFile + "secrets: [{id: x}]\n")}}, "a.yaml:19: secrets is no field; there are issuer, id, name, tenant, platform_wide, status, scopes, audiences, policies, resource_scope, lifetime, tier, rate_limits, partner, scope_required, owner, contact, note, valid_until"},
	} {
		t.Run(name, func(t *testing.T) {
			err := check(t, offline(), c.files)
			var e *declare.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.want, err.Error()); c.want != "" && diff != "" {
				t.Error(diff)
			}
		})
	}
	if err := check(t, offline(), all()); err != nil {
		t.Errorf("what is right: %v", err)
	}
}

// What is wrong changes nothing at all.
func TestApplyRefused(t *testing.T) {
	reg := newRegistry(t)
	before := seq(t, reg)
	files := append(all(), declare.File{Name: "z.yaml", Content: b("kind: Tenant\nid: x\nlabel: y\n")})
	if _, err := apply(t, reg, files); err == nil || seq(t, reg) != before {
		t.Errorf("%v, %d changes", err, seq(t, reg)-before)
	}
}

// What only the store forbids is known before anything is changed.
func TestApplyRefusedByTheStore(t *testing.T) {
	reg := newRegistry(t)
	const issuers = "kind: Issuer\nname: a\nurl: https://a.example.com\n---\n" +
		"kind: Issuer\nname: b\nurl: https://b.example.com\ndialect: arbitex\nalgorithm: HS256\n---\n" +
		"kind: Issuer\nname: c\nurl: https://c.example.com\nimported_secrets: true\n"
	file := func(content string) []declare.File { return []declare.File{{Name: "i.yaml", Content: b(content)}} }
	if _, err := apply(t, reg, file(issuers)); err != nil {
		t.Fatal(err)
	}
	client := domain.Client{Issuer: "c", ID: "foo", Name: "foo", PlatformWide: true, Audiences: []string{"urn:x"}}
	if _, err := reg.ImportClient(t.Context(), by, client, registry.Imported{Secret: "bar"}); err != nil {
		t.Fatal(err)
	}
	before := seq(t, reg)
	changed := strings.NewReplacer("//a.", "//new.", "HS256", "ES256", "imported_secrets: true", "imported_secrets: false").Replace(issuers)
	_, err := apply(t, reg, file(changed))
	if seq(t, reg) != before {
		t.Errorf("%d changes", seq(t, reg)-before)
	}
	for _, want := range []string{"i.yaml:9: algorithm cannot change from HS256 to ES256", "i.yaml:14: imported_secrets cannot be turned off"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestReadDir(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := declare.ReadDir(dir); !errors.Is(err, declare.ErrNoFiles) {
		t.Errorf("nothing there: %v", err)
	}
	write(filepath.Join(dir, "b.yaml"), "b")
	write(filepath.Join(dir, "below", "c.yml"), "c")
	write(filepath.Join(dir, "README.md"), "x")
	write(filepath.Join(dir, "..data", "a.yaml"), "a") // as Kubernetes mounts it
	if err := os.Symlink("..data/a.yaml", filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	got, err := declare.ReadDir(dir)
	want := []declare.File{{Name: "a.yaml", Content: b("a")}, {Name: "b.yaml", Content: b("b")}, {Name: "below/c.yml", Content: b("c")}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	write(filepath.Join(outside, "secret.yaml"), "s")
	if err := os.Symlink(filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "z.yaml")); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "large.yaml"), strings.Repeat("#", 1<<20+1))
	got, err = declare.ReadDir(dir) // the others are read, so that all problems are told at once
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var wrong *declare.Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	problems := []declare.Problem{
		{File: "large.yaml", Message: "is larger than 1048576 bytes"},
		{File: "z.yaml", Message: "leads out of the directory, or nowhere; put the file itself here"},
	}
	if diff := cmp.Diff(problems, wrong.Problems); diff != "" {
		t.Error(diff)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(issuerFile + "---\n" + tenantFile + "---\n" + clientFile)
	f.Add("kind: Client\nresource_scope: {x: {all: true}}\nvalid_until: 2027-01-01T00:00:00Z\n")
	f.Add("kind: Tenant\nhosts: {main: [a, a]}\nceiling: {}\n")
	f.Add(apiFile + "---\n" + policyFile + "---\n" + tierFile + "---\n" + issuerFile)
	f.Add(strings.Replace(graphFile, "schema_file: trials.graphql", "schema: \"type Query { study(id: ID! @scopedBy(kind: s)): Study } type Study { id: ID! name: Int }\"", 1) + "---\n" + issuerFile)
	f.Fuzz(func(t *testing.T, content string) {
		files := []declare.File{{Name: "f.yaml", Content: b(content)}}
		if check(t, offline(), files) != nil {
			return
		}
		objects, err := declare.Parse(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range objects.APIs() {
			a.Defaults()
			if _, err := policy.NewTable(a.Routes); err != nil || len(a.Issuers) == 0 || a.MaxBody < 1 {
				t.Fatalf("an API passes that is none: %+v, %v", a, err)
			}
		}
		for _, c := range objects.Clients() {
			if c.Epoch != 0 || c.Imported || c.Secrets != nil {
				t.Fatalf("a file sets what it may not: %+v", c)
			}
		}
	})
}
