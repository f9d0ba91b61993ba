package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/strictyaml"
)

type graphqlCommand struct {
	Coverage coverageCommand `cmd:"" help:"List the fields of a schema that lack an answer, and so are refused to everybody."`
}

type coverageCommand struct {
	Schema string `arg:"" optional:"" name:"FILE" help:"A schema (SDL) with its rules as directives."`
	Rules  string `name:"rules" placeholder:"FILE" help:"Rules beside the schema: a list, as under graphql.rules of an API."`
	Dir    string `name:"file" short:"f" placeholder:"DIR" help:"A directory of objects instead: every API in it with a GraphQL endpoint."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Help says what the exit codes mean.
func (coverageCommand) Help() string {
	return "Exits with 0 if every field that an operation can reach has an answer on both axes, with 1 if one lacks it or the schema is wrong. No server is asked."
}

// gap is a field that lacks an answer.
type gap struct {
	API        string       `json:"api,omitempty"`
	Coordinate string       `json:"coordinate"`
	Axis       graphql.Axis `json:"axis"`
	Why        string       `json:"why"`
	File       string       `json:"file"`
	Line       int          `json:"line,omitempty"`
	SchemaLine int          `json:"schema_line"` // in the schema, where that stands in a file of objects
	place      string
}

// covered is what `graphql coverage --json` prints.
type covered struct {
	Reachable int            `json:"reachable"` // fields
	Answered  int            `json:"answered"`
	Lacking   int            `json:"lacking"`
	Gaps      []gap          `json:"gaps"`
	Problems  []checkProblem `json:"problems"` // of form; a schema that has some is not counted
}

// Run prints every gap.
func (c coverageCommand) Run(s *streams) error {
	out := covered{Gaps: []gap{}, Problems: []checkProblem{}}
	var err error
	switch {
	case (c.Schema == "") == (c.Dir == ""):
		err = misuse{hinted{errors.New("there is nothing to look at, or too much"), "name a schema, or a directory of objects with -f DIR"}}
	case c.Dir != "" && c.Rules != "":
		err = misuse{hinted{errors.New("--rules goes with a schema only"), "in a directory, rules stand in the API's graphql.rules"}}
	case c.Dir != "":
		err = out.directory(c.Dir)
	default:
		err = out.file(c.Schema, c.Rules)
	}
	if err != nil {
		return err
	}
	return out.print(s, c.JSON)
}

// input reads a file that was named on the command line.
func input(file string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Clean(file))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, misuse{err}
	}
	return data, err
}

// file looks at a schema, with rules from a file of their own.
func (v *covered) file(schema, rules string) error {
	sdl, err := input(schema)
	if err != nil {
		return err
	}
	g := domain.GraphQL{Schema: string(sdl)}
	at := func(p domain.Problem) declare.Problem {
		return declare.Problem{File: schema, Line: p.Line, Message: p.Message}
	}
	if rules != "" {
		doc, err := v.rules(rules, &g)
		if err != nil || len(v.Problems) > 0 {
			return err
		}
		at = func(p domain.Problem) declare.Problem {
			if p.Field == schemaField {
				return declare.Problem{File: schema, Line: p.Line, Message: p.Message}
			}
			return declare.Problem{File: rules, Line: doc.Line(p.Field[len(rulesField):]), Message: p.Message}
		}
	}
	v.add("", &g, at)
	return nil
}

// rules reads a list of rules.
func (v *covered) rules(file string, g *domain.GraphQL) (*strictyaml.Document, error) {
	data, err := input(file)
	if err != nil {
		return nil, err
	}
	docs, problems := strictyaml.Parse(data)
	if len(problems) == 0 && len(docs) != 1 {
		problems = []strictyaml.Problem{{Message: "must hold one list of rules, as in - {coordinate: Query.version, authenticated: true, unscoped: true}"}}
	}
	if len(problems) == 0 {
		problems = docs[0].Decode(&g.Rules)
	}
	for _, p := range problems {
		v.Problems = append(v.Problems, checkProblem{File: file, Line: p.Line, Field: p.Field, Message: p.Message})
	}
	if len(docs) == 0 {
		return nil, nil
	}
	return docs[0], nil
}

// directory looks at the GraphQL endpoints of a directory of objects.
func (v *covered) directory(dir string) error {
	files, err := declare.ReadDir(dir)
	if v.Problems, err = problemsOf(err); err != nil {
		return misuse{err}
	}
	for i := range v.Problems {
		v.Problems[i].File = filepath.Join(dir, v.Problems[i].File)
	}
	for i := range files {
		files[i].Name = filepath.Join(dir, files[i].Name)
	}
	objects, err := declare.Parse(files)
	found, err := problemsOf(err)
	if v.Problems = append(v.Problems, found...); err != nil || len(v.Problems) > 0 {
		return err
	}
	endpoints := 0
	for _, api := range objects.APIs() {
		if api.GraphQL == nil {
			continue
		}
		endpoints++
		v.add(api.Name, api.GraphQL, func(p domain.Problem) declare.Problem {
			return objects.Place(registry.Ref{Kind: domain.KindAPI, Key: api.Name}, p)
		})
	}
	if endpoints == 0 {
		return misuse{fmt.Errorf("no API in %s has a GraphQL endpoint", dir)}
	}
	return nil
}

// The fields of an API by which a schema and its rules are known.
const (
	schemaField = "graphql.schema"
	rulesField  = "graphql.rules"
)

// add looks at one endpoint. at finds the place of a problem.
func (v *covered) add(api string, g *domain.GraphQL, at func(domain.Problem) declare.Problem) {
	if wrong := g.SchemaProblems(); len(wrong) > 0 {
		for _, p := range wrong {
			v.Problems = append(v.Problems, checkProblem(at(p)))
		}
		return
	}
	schema, _ := g.Load()
	v.Reachable += schema.Reachable()
	fields := make(map[string]bool)
	for _, of := range schema.Coverage() {
		p := at(domain.Problem{Field: schemaField, Line: of.Line})
		place := p.Place()
		if p.Field != "" {
			place += " " + p.Field
		}
		v.Gaps = append(v.Gaps, gap{api, of.Coordinate, of.Axis, of.Why, p.File, p.Line, of.Line, place})
		fields[of.Coordinate] = true
	}
	v.Lacking += len(fields)
	v.Answered = v.Reachable - v.Lacking
}

func (v *covered) print(s *streams, asJSON bool) error {
	if asJSON {
		if err := s.json(v); err != nil {
			return err
		}
	} else if err := v.table(s); err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return fmt.Errorf("%s", plural(len(v.Problems), "problem"))
	}
	s.say("%s can be reached: %d answered, %d lacking", plural(v.Reachable, "field"), v.Answered, v.Lacking)
	if v.Lacking > 0 {
		return hinted{errors.New("what lacks an answer is refused to everybody"), "docs/graphql.md says how a field is answered"}
	}
	return nil
}

func (v *covered) table(s *streams) error {
	for _, p := range v.Problems {
		s.data("%s", p)
	}
	if len(v.Gaps) == 0 {
		return nil
	}
	rows := [][]string{{"PLACE", "COORDINATE", "AXIS", "WHY"}}
	for _, g := range v.Gaps {
		rows = append(rows, []string{g.place, g.Coordinate, string(g.Axis), g.Why})
	}
	return s.table(rows)
}
