package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/strictjson"
)

// Person is somebody who administers, as the API shows them.
type Person struct {
	domain.Person
	Version int64 `json:"version" doc:"For If-Match."`
}

// NewPerson is what an administrator may choose of a person (D-74: nothing else).
type NewPerson struct {
	Name       string        `json:"name,omitempty" doc:"To sign in with, as in ann@example.com."`
	Role       domain.Role   `json:"role,omitempty" enum:"platform-admin,integration-manager,tenant-developer,auditor"`
	AllTenants bool          `json:"all_tenants,omitempty" doc:"The role holds for every tenant, and for platform-wide clients."`
	Tenants    []string      `json:"tenants,omitempty" doc:"By id: for which the role holds."`
	AllIssuers bool          `json:"all_issuers,omitempty" doc:"The role holds at every issuer."`
	Issuers    []string      `json:"issuers,omitempty" doc:"By name: at which the role holds."`
	Status     domain.Status `json:"status,omitempty" enum:"enabled,disabled" doc:"Left out: enabled. Who is disabled signs in no more, and their sessions are over."`
	Subject    string        `json:"subject,omitempty" doc:"sub at the OpenID provider; left out: set at the first sign-in there, by verified e-mail."`
}

func (n NewPerson) spec() domain.Person {
	return domain.Person{Name: n.Name, Role: n.Role, Status: n.Status, Subject: n.Subject,
		Reach: domain.Reach{AllTenants: n.AllTenants, Tenants: n.Tenants, AllIssuers: n.AllIssuers, Issuers: n.Issuers}}
}

// NewLink is a link by which somebody sets a password, once.
type NewLink struct {
	Link        string     `json:"link,omitempty" doc:"The token of the link, for accept-link; shown this once."`
	Expires     *time.Time `json:"expires,omitempty"`
	SecretShown bool       `json:"secret_shown,omitempty" doc:"This answer was given before, with the link; it is not shown again."`
}

func showPerson(p domain.Person) (Person, int64) { return Person{p, p.Version}, p.Version }

type personBody = objectBody[Person]

type madePerson struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Person
}

func (a *api) people(h huma.API) {
	type r = registry.Registry
	register(a, h, noun[domain.Person, Person]{"person", "people", showPerson, (*r).ListPeople, (*r).GetPerson, (*r).DeletePerson})
	create := operation("create-person", http.MethodPost, "/people", "Make somebody who administers; invite-person lets them set a password")
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, func(ctx context.Context, in *struct{ Body NewPerson }) (*madePerson, error) {
		p, err := a.as(ctx).CreatePerson(ctx, actor(ctx), in.Body.spec())
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown, _ := showPerson(p)
		return &madePerson{etag(p.Version), prefix + "/people/" + segment(p.ID), shown}, nil
	})
	huma.Register(h, operation("update-person", http.MethodPatch, "/people/{key}", "Change what is named, and nothing else"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
		Body Patch
	}) (*personBody, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		p, err := a.as(ctx).UpdatePerson(ctx, actor(ctx), in.Key, version, in.Body.applyPerson)
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown, _ := showPerson(p)
		return &personBody{ETag: etag(p.Version), Body: shown}, nil
	})
	if a.SignIn == nil {
		return
	}
	invite := operation("invite-person", http.MethodPost, "/people/{key}/invite", "Make a link by which the person sets a password, once, within a day")
	huma.Register(h, invite, func(ctx context.Context, in *ObjectPath) (*objectBody[NewLink], error) {
		if _, err := a.as(ctx).GetPerson(ctx, in.Key); err != nil {
			return nil, problem(ctx, err)
		}
		link, err := a.SignIn.Invite(ctx, caller(ctx), in.Key)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &objectBody[NewLink]{Body: NewLink{Link: string(link.Token), Expires: &link.Expires}}, nil
	})
}

// applyPerson changes the person as the patch says.
func (p Patch) applyPerson(to *domain.Person) error {
	return p.each(fmt.Sprintf("the change of person %q", to.Name), nil, func(name string, document []byte) error {
		var one NewPerson
		if err := strictjson.Unmarshal(document, &one); err != nil {
			return err
		}
		from := one.spec()
		switch name {
		case "name":
			to.Name = from.Name
		case "role":
			to.Role = from.Role
		case "all_tenants":
			to.AllTenants = from.AllTenants
		case "tenants":
			to.Tenants = from.Tenants
		case "all_issuers":
			to.AllIssuers = from.AllIssuers
		case "issuers":
			to.Issuers = from.Issuers
		case "status":
			to.Status = from.Status
		case "subject":
			to.Subject = from.Subject
		}
		return nil
	})
}
