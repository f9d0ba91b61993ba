package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// printExplained prints what would become of a call, for people.
func printExplained(s *streams, e *admin.Explained) error {
	if e.Allowed {
		return printAllowed(s, e)
	}
	rows := [][]string{{"verdict", "refused: " + string(e.Reason)}, {"why", e.Why}}
	if e.At != nil {
		field(&rows, "where", placeText(*e.At))
	}
	var lacks []string
	for _, l := range onePlace(e.Lacks) {
		lacks = append(lacks, strings.TrimRight(l.what+"\t"+l.where, "\t"))
	}
	block(&rows, "lacks", lacks)
	block(&rows, "holds", heldLines(e))
	if e.Grant != nil {
		block(&rows, "grant", grantLines(e.Grant))
	}
	return s.table(rows)
}

// block is several lines under one name.
func block(rows *[][]string, name string, lines []string) {
	for _, line := range lines {
		*rows = append(*rows, []string{name, line})
		name = ""
	}
}

func printAllowed(s *streams, e *admin.Explained) error {
	rows := [][]string{{"verdict", "allowed"}}
	var touches []string
	for _, r := range e.Touches {
		touches = append(touches, resourceName(r))
	}
	if len(touches) == 0 {
		touches = []string{"nothing that belongs to a resource"}
	}
	block(&rows, "touches", touches)
	f := e.Forwards
	rows = append(rows, []string{"answer", answerText(f)}, []string{"limit", limitText(&e.Holds)})
	if f != nil {
		rows = append(rows, []string{"forwards", f.Method + " " + f.URL})
	}
	if err := s.table(rows); err != nil {
		return err
	}
	if f != nil && f.Body != "" {
		s.data("\n%s", bodyText(f.Body))
	}
	return nil
}

// answerText says where the answer comes from, and what becomes of it on its way.
func answerText(f *admin.Forwarded) string {
	switch {
	case f == nil:
		return "Postern's own, from the audit trail"
	case f.Checked:
		return "checked: it is passed on only if every object in it lies in what the client may reach"
	}
	return "passed on as it comes"
}

// bodyText is a body for people: of GraphQL the document, and then its variables.
func bodyText(body string) string {
	var g struct {
		Query     string          `json:"query"`
		Variables json.RawMessage `json:"variables"`
	}
	if json.Unmarshal([]byte(body), &g) != nil || g.Query == "" {
		return strings.TrimRight(body, "\n")
	}
	text := strings.TrimRight(g.Query, "\n")
	if len(g.Variables) > 0 {
		text += "\n\n" + string(g.Variables)
	}
	return text
}

func limitText(h *admin.Holds) string {
	if h.PerMinute == 0 {
		return "unlimited (" + h.Tier + ")"
	}
	return perMinute(h.PerMinute) + " (" + h.Tier + ")"
}

func placeText(p admin.Place) string {
	text := p.Path
	if p.Coordinate != "" && p.Coordinate != p.Path {
		text = strings.TrimSpace(text + " (" + p.Coordinate + ")")
	}
	if p.Line > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%d:%d %s", p.Line, p.Column, text))
	}
	return text
}

// missing is something lacking, and where.
type missing struct{ what, where string }

// onePlace tells each thing once, with its first place.
func onePlace(lacks []admin.Lack) (list []missing) {
	more := make(map[string]int)
	for _, l := range lacks {
		what := lackText(l)
		if more[what]++; more[what] == 1 {
			list = append(list, missing{what, placeText(l.Place)})
		}
	}
	for i, m := range list {
		if n := more[m.what] - 1; n > 0 && m.where != "" {
			list[i].where += ", and at " + plural(n, "other place")
		}
	}
	return list
}

func lackText(l admin.Lack) string {
	switch {
	case l.Endpoint != "":
		return "endpoint " + l.Endpoint
	case l.Scope != "":
		return "scope " + l.Scope
	case l.Action != "":
		return "action " + l.Action
	case l.Resource != nil:
		return resourceName(*l.Resource)
	}
	texts := make([]string, len(l.Alternatives))
	for i, a := range l.Alternatives {
		var words []string
		for _, s := range a.Scopes {
			words = append(words, "scope "+s)
		}
		for _, s := range a.Actions {
			words = append(words, "action "+s)
		}
		texts[i] = strings.Join(words, " and ")
	}
	return strings.Join(texts, ", or ")
}

func resourceName(r admin.Resource) string {
	if r.All {
		return "all of kind " + r.Kind
	}
	return r.Kind + " " + r.ID
}

// heldLines is what the client holds on the axes of what it lacks.
func heldLines(e *admin.Explained) (lines []string) {
	var scopes, actions, places, endpoints bool
	for _, l := range e.Lacks {
		endpoints, places = endpoints || l.Endpoint != "", places || l.Resource != nil
		scopes, actions = scopes || l.Scope != "", actions || l.Action != ""
		for _, a := range l.Alternatives {
			scopes, actions = scopes || len(a.Scopes) > 0, actions || len(a.Actions) > 0
		}
	}
	h := &e.Holds
	if endpoints {
		lines = append(lines, "endpoints: "+orNothing(h.Endpoints))
	}
	if scopes {
		lines = append(lines, "scopes: "+orNothing(h.Scopes))
	}
	if actions && len(h.Policies) == 0 {
		lines = append(lines, "policies: none")
	}
	for _, p := range h.Policies {
		line := "policy " + p.Name + ": " + orNothing(p.Actions)
		if p.Outside {
			line += ", but outside of its tenant's ceiling"
		}
		if actions {
			lines = append(lines, line)
		}
	}
	if places && len(h.Resources) == 0 {
		lines = append(lines, "resources: none")
	}
	for _, kind := range h.Resources.Kinds() {
		if places {
			lines = append(lines, kind+": "+resourceText(h.Resources[kind]))
		}
	}
	return lines
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// grantLines is the grant in words.
func grantLines(g *admin.Grant) (lines []string) {
	add := func(whose string, list []string) {
		for _, v := range list {
			lines = append(lines, whose+v)
		}
	}
	add("to the tenant: endpoint ", g.Tenant.Endpoints)
	add("to the tenant's ceiling: scope ", g.Tenant.Scopes)
	add("to the tenant's ceiling: policy ", g.Tenant.Policies)
	for _, kind := range sortedKeys(g.Tenant.Resources) {
		add("to the tenant: "+kind+" ", g.Tenant.Resources[kind])
	}
	add("to the client: audience ", g.Audiences)
	add("to the client: scope ", g.Scopes)
	add("to the client: policy ", g.Policies)
	for _, kind := range g.Resources.Kinds() {
		lines = append(lines, "to the client: "+heldText(kind, g.Resources[kind]))
	}
	if len(g.Token) > 0 {
		lines = append(lines, "the token is to be asked for with the scope: "+strings.Join(g.Token, " "))
	}
	add("not to be granted: ", g.Not)
	return lines
}

func heldText(kind string, r domain.Resources) string {
	if r.All {
		return "all of kind " + kind
	}
	return kind + " " + strings.Join(r.IDs, " ")
}
