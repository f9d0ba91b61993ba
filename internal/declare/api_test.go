package declare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
)

const (
	tierFile   = "kind: Tier\nname: gold\nper_minute: 5\n"
	policyFile = "kind: Policy\nname: reader\nactions:\n  studies:read: read studies\n"
	apiFile    = "kind: API\nname: studies\naudience: https://api.example.com\nissuers: [main]\npath: /v1\nupstream: http://10.0.0.7:9000\n" +
		"routes:\n  - method: GET\n    path: /studies/{study}\n    actions: [\"studies:read\"]\n    parameters:\n      - {name: study, kind: study}\n" +
		"rate_limits: {gold: 3}\ntimeouts: {answer: 2m}\n"
)

// guarded is one object of each kind, those that refer to others first.
func guarded() []declare.File {
	return append(all(), declare.File{Name: "0.yaml", Content: b(apiFile + "---\n" + policyFile + "---\n" + tierFile)},
		declare.File{Name: "client.yaml", Content: b(strings.Replace(clientFile, "2222\n", "2223\n", 1) + "policies: [reader]\ntier: gold\nrate_limits: {studies: 2}\n")})
}

// What refers comes after what it refers to, whatever the order of files; twice is once.
func TestApplyAPI(t *testing.T) {
	reg := newRegistry(t)
	for _, want := range []declare.Outcome{declare.Created, declare.Unchanged} {
		result, err := apply(t, reg, guarded())
		if err != nil {
			t.Fatal(err)
		}
		var kinds []domain.Kind
		for _, item := range result.Items {
			kinds = append(kinds, item.Kind)
			if item.Outcome != want || item.Warnings != nil {
				t.Errorf("%+v, want %s", item, want)
			}
		}
		order := []domain.Kind{domain.KindTier, domain.KindPolicy, domain.KindIssuer, domain.KindTenant, domain.KindAPI, domain.KindClient, domain.KindClient}
		if diff := cmp.Diff(order, kinds); diff != "" {
			t.Error(diff)
		}
	}
	a, err := reg.GetAPI(t.Context(), "studies")
	if err != nil || a.Origin != "core/0.yaml" || a.MaxBody != 10<<20 || a.Timeouts != (domain.Timeouts{Connect: 5, Answer: 120, Idle: 60}) || a.Routes[0].Parameters[0].In != "path" {
		t.Errorf("%+v, %v", a, err)
	}
	files := guarded()
	files[2].Content = b(strings.Replace(string(files[2].Content), "  studies:read: read studies", "  studies:list: list studies", 1))
	before := seq(t, reg)
	result, err := apply(t, reg, files) // COM-12
	if err != nil || seq(t, reg) != before+1 || result.Items[1].Outcome != declare.Updated || len(result.Items[1].Warnings) != 1 {
		t.Errorf("%+v, %v", result.Items[1], err)
	}
}

func TestCheckAPI(t *testing.T) {
	right := map[string]string{"client.yaml": string(guarded()[3].Content), "issuer.yaml": issuerFile, "tenant.yaml": tenantFile,
		"api.yaml": apiFile, "policy.yaml": policyFile, "tier.yaml": tierFile}
	for name, c := range map[string]struct {
		change map[string]string // file: "old -> new"; nothing: without it
		want   string
	}{
		"right":     {nil, ""},
		"no policy": {map[string]string{"policy.yaml": ""}, `client.yaml:9: policies[0] there is no policy "reader"; make it first, or name another`},
		"no tier": {map[string]string{"tier.yaml": ""}, `api.yaml:13: rate_limits.gold there is no tier "gold"; there are standard, premium, unlimited and those that were made
client.yaml:10: tier there is no tier "gold"; there are standard, premium, unlimited and those that were made`},
		"no API":    {map[string]string{"api.yaml": ""}, `client.yaml:11: rate_limits.studies there is no API "studies"; name one that was made`},
		"no issuer": {map[string]string{"api.yaml": "[main] -> [main, two]"}, `api.yaml:4: issuers[1] there is no issuer "two"; name one that was made`},
		"every one at once": {map[string]string{"api.yaml": "GET -> TRACE", "policy.yaml": "read studies -> ", "tier.yaml": "5 -> 0"},
			`api.yaml:8: routes[0] route TRACE /studies/{study}: method is none of GET, HEAD, POST, PUT, PATCH, DELETE
policy.yaml:4: actions.studies:read has no value; give it one or leave the field out
tier.yaml:3: per_minute is missing; say how many calls a minute, or unlimited: true`},
		"form": {map[string]string{"api.yaml": "path: /studies/{study} -> paths: /studies"},
			`api.yaml:9: routes[0].paths is no field; there are method, path, scopes, actions, parameters, tags, upgrade`},
		"one path twice": {map[string]string{"b.yaml": strings.Replace(apiFile, "name: studies", "name: copy", 1)},
			`api.yaml:5: path id.example.com/v1 belongs to API copy too; give one of them another path, or other hosts
b.yaml:5: path id.example.com/v1 belongs to API studies too; give one of them another path, or other hosts`},
		"twice": {map[string]string{"z.yaml": policyFile}, `z.yaml:1: declares policy reader, which stands in policy.yaml:1 already; keep one`},
	} {
		t.Run(name, func(t *testing.T) {
			var files []declare.File
			for file, content := range right {
				change, changed := c.change[file]
				if old, to, ok := strings.Cut(change, " -> "); ok {
					content = strings.Replace(content, old, to, 1)
				} else if changed {
					continue
				}
				files = append(files, declare.File{Name: file, Content: b(content)})
			}
			for file, content := range c.change {
				if _, there := right[file]; !there {
					files = append(files, declare.File{Name: file, Content: b(content)})
				}
			}
			told := ""
			if err := check(t, offline(), files); err != nil {
				told = err.Error()
			}
			if diff := cmp.Diff(c.want, told); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A route behind an endpoint of the issuer is told where the API stands in the files, and
// where it is in the store only, where the issuer or the tenant does that comes to its host.
func TestCheckClash(t *testing.T) {
	hidden := strings.NewReplacer("/v1", "/oauth2", "/studies/{study}", "/token", "    parameters:\n      - {name: study, kind: study}\n", "").Replace(apiFile)
	err := check(t, offline(), append(guarded(), declare.File{Name: "hidden.yaml", Content: b(strings.Replace(hidden, "name: studies", "name: hidden", 1))}))
	want := "hidden.yaml:8: routes[0] GET /token would hide behind id.example.com/oauth2/token, an endpoint of issuer main; give one of them another path or host"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	reg := newRegistry(t)
	elsewhere := strings.Replace(hidden, "path:", "hosts: [api.example.com]\npath:", 1)
	files := guarded()
	files[2].Content = b(elsewhere + "---\n" + strings.Replace(apiFile, "name: studies", "name: base", 1) + "---\n" + policyFile + "---\n" + tierFile)
	if _, err := apply(t, reg, files); err != nil {
		t.Fatal(err)
	}
	before := seq(t, reg)
	for file, want := range map[string]string{
		// The issuer stands there as before, and is not told.
		issuerFile + "---\n" + strings.Replace(apiFile, "name: studies", "name: copy", 1): "x.yaml:10: path id.example.com/v1 belongs to API base too; give one of them another path, or other hosts",
		"kind: Issuer\nname: two\nurl: https://api.example.com\ndialect: trialbee\n":      "x.yaml:3: url is in the way of API studies: routes[0] ",
		tenantFile + "hosts: {main: [api.example.com]}\n":                                 "x.yaml:5: hosts is in the way of API studies: routes[0] ",
	} {
		if _, err := apply(t, reg, []declare.File{{Name: "x.yaml", Content: b(file)}}); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || seq(t, reg) != before {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// RULES "Snapshot and feed": apply commits at most 100 objects at once. What fails takes its
// transaction with it; those before it stay, with their secrets.
func TestApplyInChunks(t *testing.T) {
	reg := newRegistry(t)
	if _, err := apply(t, reg, all()); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := range 150 {
		fmt.Fprintf(&text, "kind: Client\nissuer: main\nid: %08d-2222-4222-8222-222222222222\nname: n\nplatform_wide: true\naudiences: [urn:x]\n---\n", i)
	}
	files := []declare.File{{Name: "c.yaml", Content: b(text.String())}}
	commits := &counting{Store: reg.Store, failAt: 2}
	reg.Store = commits
	result, err := apply(t, reg, files)
	if !errors.Is(err, errCommit) || len(result.Items) != 100 || len(result.Secrets) != 100 {
		t.Errorf("%d items, %d secrets, %v", len(result.Items), len(result.Secrets), err)
	}
	list, err := reg.ListClients(t.Context(), "main", "", domain.Page{})
	if err != nil || len(list) != 101 {
		t.Errorf("%d clients, %v", len(list), err)
	}
	if result, err = apply(t, reg, files); err != nil || len(result.Items) != 150 || len(result.Secrets) != 50 || commits.n != 3 {
		t.Errorf("again: %d items, %d secrets, %d transactions, %v", len(result.Items), len(result.Secrets), commits.n, err)
	}
}
