package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/declare"
)

const clientFile = "kind: Client\nissuer: two\nid: 22222222-2222-4222-8222-222222222222\nname: Billing\nplatform_wide: true\naudiences: [a]\n"

func TestApply(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	files := []admin.File{{Name: "a.yaml", Content: clientFile}, {Name: "b.yaml", Content: "kind: Issuer\nname: two\nurl: https://two.example.com\n"}}
	done, err := conn.Apply(t.Context(), admin.Files{Files: files})
	if err != nil || len(done.Objects) != 2 || len(done.Secrets) != 1 || len(done.Secrets[0].Secret) < 40 {
		t.Fatalf("%+v, %v", done, err)
	}
	done, err = conn.Apply(t.Context(), admin.Files{Files: files})
	if err != nil || len(done.Secrets) != 0 || done.Objects[0].Outcome != "unchanged" || done.Objects[1].Outcome != "unchanged" {
		t.Errorf("%+v, %v", done, err)
	}
	// Every problem at once: of form and of content.
	files[0].Content = strings.Replace(clientFile, "audiences: [a]", "audiences: []", 1)
	files[1].Content = "kind: Issuer\nnome: two\n"
	_, err = conn.Apply(t.Context(), admin.Files{Files: files})
	var p *admin.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity {
		t.Fatalf("got %v", err)
	}
	text := err.Error()
	for _, want := range []string{"a.yaml:6: audiences: is empty", "b.yaml:2: nome: is no field"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Two issuers that change places cannot be told apart from two at one place until one is
// put: what fails then says where and why, and what else is done.
func TestApplyFailsInItsMidst(t *testing.T) {
	issuer := func(name, host string) string {
		return "kind: Issuer\nname: " + name + "\nurl: https://" + host + ".example.com\n"
	}
	var tiers strings.Builder
	for i := range 100 { // as many as one transaction takes, and tiers go first
		fmt.Fprintf(&tiers, "---\nkind: Tier\nname: t%d\nper_minute: 1\n", i)
	}
	for name, tc := range map[string]struct {
		before []admin.File
		done   int
		says   string
	}{
		"in the first transaction": {nil, 0, "apply issuer three (c.yaml:1): issuer \"three\" is not valid; nothing was changed"},
		"in the second":            {[]admin.File{{Name: "a.yaml", Content: tiers.String()}}, 100, "apply issuer three (c.yaml:1): issuer \"three\""},
	} {
		t.Run(name, func(t *testing.T) {
			_, socket := start(t)
			conn := admin.Dial(socket)
			if _, err := conn.Apply(t.Context(), admin.Files{Files: []admin.File{{Name: "a.yaml", Content: issuer("two", "two")}}}); err != nil {
				t.Fatal(err)
			}
			files := append(tc.before, admin.File{Name: "b.yaml", Content: issuer("one", "one")}, admin.File{Name: "c.yaml", Content: issuer("three", "two")},
				admin.File{Name: "d.yaml", Content: issuer("two", "moved")})
			done, err := conn.Apply(t.Context(), admin.Files{Files: files})
			if err == nil || len(done.Objects) != tc.done {
				t.Fatalf("%+v, %v", done, err)
			}
			for _, want := range []string{tc.says, "url: two.example.com belongs to issuer two"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
			if list, err := conn.ListIssuers(t.Context()); err != nil || len(list) != 2 { // main and two
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}

// A schema comes beside the objects, as large as they get, and back where its API is shown;
// lists leave it out. What is wrong with it is told where it is.
func TestApplySchema(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	schema := "type Query { a: Int @authenticated @unscoped }\n" + strings.Repeat("# <&> \"ü\" \\ \t"+strings.Repeat("-", 150)+"\n", 10_000) // 1.6 MB
	files := []admin.File{
		{Name: "apis/a.yaml", Content: "kind: API\nname: a\naudience: urn:a\nissuers: [main]\nupstream: http://127.0.0.1:9\ngraphql: {path: /graphql, schema_file: a.graphql}\n"},
		{Name: "apis/a.graphql", Content: schema},
	}
	for _, want := range []declare.Outcome{declare.Created, declare.Unchanged} {
		done, err := conn.Apply(t.Context(), admin.Files{Files: files})
		if err != nil || len(done.Objects) != 1 || done.Objects[0].Outcome != want || done.Objects[0].Warnings != nil {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	if a, err := conn.GetAPI(t.Context(), "a"); err != nil || a.GraphQL == nil || a.GraphQL.Schema != schema {
		t.Errorf("another schema is shown: %v", err)
	}
	list, err := conn.ListAPIs(t.Context())
	if err != nil || len(list) != 1 || list[0].GraphQL == nil || list[0].GraphQL.Path != "/graphql" || list[0].GraphQL.Schema != "" {
		t.Errorf("%d in the list: %v", len(list), err)
	}
	files[1].Content += "type Study { id: ID! @paging }"
	if _, err := conn.Apply(t.Context(), admin.Files{Files: files}); err == nil || !strings.Contains(err.Error(), "apis/a.graphql:10002: Study.id: @paging cannot stand on a field") {
		t.Errorf("%v", err)
	}
}
