package declare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictyaml"
)

// Object is one declared object.
type Object struct {
	File string
	Line int // where it begins
	body body

	doc    *strictyaml.Document
	schema string // the file of its schema, if it names one
	bad    bool   // its form is wrong, and told already
}

// body is a pointer to the object of the domain.
type body interface {
	Kind() domain.Kind
	Key() string
}

// kind is one word of `kind`.
type kind struct {
	word string
	of   domain.Kind
	make func() body
}

// kinds are in the order in which objects are applied, as each refers to those before.
func kinds() []kind {
	return []kind{
		{"Tier", domain.KindTier, func() body { return &domain.Tier{} }},
		{"Policy", domain.KindPolicy, func() body { return &domain.Policy{} }},
		{"Issuer", domain.KindIssuer, func() body { return &domain.Issuer{} }},
		{"Tenant", domain.KindTenant, func() body { return &domain.Tenant{} }},
		{"API", domain.KindAPI, func() body { return &domain.API{} }},
		{"Client", domain.KindClient, func() body { return &domain.Client{} }},
	}
}

// Kind is that of the object.
func (o *Object) Kind() domain.Kind { return o.body.Kind() }

// Key is that of the object in the store.
func (o *Object) Key() string { return o.body.Key() }

// Objects are those of some files.
type Objects struct {
	list     []*Object // in the order of kinds
	problems []Problem // of form
}

// Issuers lists the declared issuers, as they stand in the files.
func (o Objects) Issuers() []domain.Issuer { return declared[domain.Issuer](o) }

// Tenants lists the declared tenants, as they stand in the files.
func (o Objects) Tenants() []domain.Tenant { return declared[domain.Tenant](o) }

// Clients lists the declared clients, as they stand in the files.
func (o Objects) Clients() []domain.Client { return declared[domain.Client](o) }

// APIs lists the declared APIs, as they stand in the files.
func (o Objects) APIs() []domain.API { return declared[domain.API](o) }

// Policies lists the declared policies, as they stand in the files.
func (o Objects) Policies() []domain.Policy { return declared[domain.Policy](o) }

func declared[T any](o Objects) (list []T) {
	for _, one := range o.list {
		if v, ok := any(one.body).(*T); ok {
			list = append(list, *v)
		}
	}
	return list
}

// Parse reads the objects of the files; schemas among the files are there to be named. The error is an *Error with every problem
// of form; Check tells these too, together with all others.
func Parse(files []File) (Objects, error) {
	list, problems := parse(files)
	problems = append(problems, twice(list)...)
	inOrder(list)
	return Objects{list: list, problems: problems}, asError(problems)
}

// parse reads also objects of which the form is wrong, as others may refer to
// them.
func parse(files []File) ([]*Object, []Problem) {
	var objects []*Object
	var problems []Problem
	attached := schemas(files)
	for _, f := range files {
		if isSchema(f.Name) {
			continue
		}
		if len(f.Content) > maxFile {
			problems = append(problems, Problem{File: f.Name, Message: fmt.Sprintf("is larger than %d bytes", maxFile)})
			continue
		}
		docs, found := strictyaml.Parse(f.Content)
		problems = append(problems, inFile(f.Name, found)...)
		for _, doc := range docs {
			o, found := parseObject(f.Name, doc, attached)
			problems = append(problems, inFile(f.Name, found)...)
			if o != nil {
				objects = append(objects, o)
			}
		}
	}
	return objects, problems
}

func inFile(name string, found []strictyaml.Problem) []Problem {
	problems := make([]Problem, len(found))
	for i, p := range found {
		problems[i] = Problem{File: name, Line: p.Line, Field: p.Field, Message: p.Message}
	}
	return problems
}

func parseObject(file string, doc *strictyaml.Document, attached map[string]string) (*Object, []strictyaml.Problem) {
	word, ok := doc.Take("kind")
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.word == word })
	if i < 0 {
		words := make([]string, len(all))
		for i, k := range all {
			words[i] = k.word
		}
		message := "is missing; an object begins with kind: and one of "
		if ok {
			message = fmt.Sprintf("%q is not one of ", word)
		}
		return nil, []strictyaml.Problem{{Line: doc.Line("kind"), Field: "kind", Message: message + strings.Join(words, ", ")}}
	}
	o := &Object{File: file, Line: doc.Line(""), doc: doc, body: all[i].make()}
	problems := doc.Decode(o.body)
	problems = append(problems, o.attach(attached)...)
	o.bad = len(problems) > 0
	return o, problems
}

// in is a problem of the object with its line: that of the schema where it is one of a file
// of its own.
func (o *Object) in(p domain.Problem) Problem {
	if o.schema != "" && p.Field == schemaField {
		return Problem{File: o.schema, Line: p.Line, Message: p.Message}
	}
	return Problem{File: o.File, Line: o.doc.Line(p.Field), Field: p.Place(), Message: p.Message}
}

// twice tells of objects that stand in the files more than once, and marks the
// second as bad.
func twice(objects []*Object) []Problem {
	type ref struct {
		kind domain.Kind
		key  string
	}
	seen := make(map[ref]*Object, len(objects))
	var problems []Problem
	for _, o := range objects {
		r := ref{o.Kind(), o.Key()}
		first, ok := seen[r]
		if !ok || o.bad {
			seen[r] = o
			continue
		}
		o.bad = true
		problems = append(problems, Problem{File: o.File, Line: o.Line, Message: fmt.Sprintf("declares %s %s, which stands in %s already; keep one", r.kind, r.key, Problem{File: first.File, Line: first.Line}.Place())})
	}
	return problems
}

// inOrder puts objects in the order of kinds.
func inOrder(objects []*Object) {
	rank := ranks()
	slices.SortStableFunc(objects, func(a, b *Object) int { return rank[a.Kind()] - rank[b.Kind()] })
}

// ranks are the places of kinds in the order in which they are applied.
func ranks() map[domain.Kind]int {
	rank := make(map[domain.Kind]int)
	for i, k := range kinds() {
		rank[k.of] = i
	}
	return rank
}
