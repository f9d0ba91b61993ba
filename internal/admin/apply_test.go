package admin_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/admin"
)

const clientFile = "kind: Client\nissuer: two\nid: 22222222-2222-4222-8222-222222222222\nname: Billing\nplatform_wide: true\naudiences: [a]\n"

func TestApply(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	files := []admin.File{{Name: "a.yaml", Content: clientFile}, {Name: "b.yaml", Content: "kind: Issuer\nname: two\nurl: https://two.example.com\n"}}
	done, err := conn.Apply(t.Context(), files)
	if err != nil || len(done.Objects) != 2 || len(done.Secrets) != 1 || len(done.Secrets[0].Secret) < 40 {
		t.Fatalf("%+v, %v", done, err)
	}
	done, err = conn.Apply(t.Context(), files)
	if err != nil || len(done.Secrets) != 0 || done.Objects[0].Outcome != "unchanged" || done.Objects[1].Outcome != "unchanged" {
		t.Errorf("%+v, %v", done, err)
	}
	// Every problem at once: of form and of content.
	files[0].Content = strings.Replace(clientFile, "audiences: [a]", "audiences: []", 1)
	files[1].Content = "kind: Issuer\nnome: two\n"
	_, err = conn.Apply(t.Context(), files)
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

// What fails in the midst of it says where and why, beside what is done.
func TestApplyPartlyTellsWhy(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	issuer := func(name, host string) string {
		return "kind: Issuer\nname: " + name + "\nurl: https://" + host + ".example.com\n"
	}
	if _, err := conn.Apply(t.Context(), []admin.File{{Name: "a.yaml", Content: issuer("two", "two")}}); err != nil {
		t.Fatal(err)
	}
	files := []admin.File{{Name: "b.yaml", Content: issuer("one", "one")}, {Name: "c.yaml", Content: issuer("three", "two")}, {Name: "d.yaml", Content: issuer("two", "moved")}}
	done, err := conn.Apply(t.Context(), files)
	if err == nil || len(done.Objects) != 1 || done.Objects[0].Key != "one" {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, want := range []string{"three", "c.yaml:1", "url: two.example.com belongs to issuer two"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}
