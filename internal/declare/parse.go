package declare

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictyaml"
)

// Object is one declared object: one of Issuer, Tenant and Client is there.
type Object struct {
	File   string
	Line   int // where it begins
	Issuer *domain.Issuer
	Tenant *domain.Tenant
	Client *domain.Client

	doc *strictyaml.Document
	bad bool // its form is wrong, and told already
}

// The words of `kind`.
const (
	kindIssuer = "Issuer"
	kindTenant = "Tenant"
	kindClient = "Client"
)

// Kind is that of the object.
func (o *Object) Kind() domain.Kind {
	switch {
	case o.Issuer != nil:
		return domain.KindIssuer
	case o.Tenant != nil:
		return domain.KindTenant
	}
	return domain.KindClient
}

// Key is that of the object in the store.
func (o *Object) Key() string {
	switch {
	case o.Issuer != nil:
		return o.Issuer.Key()
	case o.Tenant != nil:
		return o.Tenant.Key()
	}
	return o.Client.Key()
}

// Objects are those of some files.
type Objects struct {
	list     []*Object // issuers first, clients last
	problems []Problem // of form
}

// Issuers lists the declared issuers, as they stand in the files.
func (o Objects) Issuers() (list []domain.Issuer) {
	for _, one := range o.list {
		if one.Issuer != nil {
			list = append(list, *one.Issuer)
		}
	}
	return list
}

// Tenants lists the declared tenants, as they stand in the files.
func (o Objects) Tenants() (list []domain.Tenant) {
	for _, one := range o.list {
		if one.Tenant != nil {
			list = append(list, *one.Tenant)
		}
	}
	return list
}

// Clients lists the declared clients, as they stand in the files.
func (o Objects) Clients() (list []domain.Client) {
	for _, one := range o.list {
		if one.Client != nil {
			list = append(list, *one.Client)
		}
	}
	return list
}

// Parse reads the objects of the files. The error is an *Error with every problem
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
	for _, f := range files {
		if len(f.Content) > maxFile {
			problems = append(problems, Problem{File: f.Name, Message: fmt.Sprintf("is larger than %d bytes", maxFile)})
			continue
		}
		docs, found := strictyaml.Parse(f.Content)
		problems = append(problems, inFile(f.Name, found)...)
		for _, doc := range docs {
			o, found := parseObject(f.Name, doc)
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

func parseObject(file string, doc *strictyaml.Document) (*Object, []strictyaml.Problem) {
	o := &Object{File: file, Line: doc.Line(""), doc: doc}
	kind, ok := doc.Take("kind")
	var into any
	switch kind {
	case kindIssuer:
		o.Issuer = &domain.Issuer{Origin: file}
		into = o.Issuer
	case kindTenant:
		o.Tenant = &domain.Tenant{Origin: file}
		into = o.Tenant
	case kindClient:
		o.Client = &domain.Client{Origin: file}
		into = o.Client
	default:
		message := "is missing; an object begins with kind: Issuer, Tenant or Client"
		if ok {
			message = fmt.Sprintf("%q is not one of %s, %s, %s", kind, kindIssuer, kindTenant, kindClient)
		}
		return nil, []strictyaml.Problem{{Line: doc.Line("kind"), Field: "kind", Message: message}}
	}
	problems := doc.Decode(into)
	o.bad = len(problems) > 0
	return o, problems
}

// in is a problem of the object with its line.
func (o *Object) in(p domain.Problem) Problem {
	return Problem{File: o.File, Line: o.doc.Line(p.Field), Field: p.Field, Message: p.Message}
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

// inOrder puts issuers first and clients last, as each refers to those before.
func inOrder(objects []*Object) {
	rank := map[domain.Kind]int{domain.KindIssuer: 0, domain.KindTenant: 1, domain.KindClient: 2}
	slices.SortStableFunc(objects, func(a, b *Object) int { return rank[a.Kind()] - rank[b.Kind()] })
}
