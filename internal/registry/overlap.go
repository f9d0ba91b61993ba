package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

// Ref names an object: by kind and key.
type Ref struct {
	Kind domain.Kind
	Key  string
}

// Overlaps lists, by object, where issuers and tenants get in each other's way:
// a request must belong to one issuer, and to one tenant of it. It looks at all
// of them together, as they would be.
func (r *Registry) Overlaps(issuers []domain.Issuer, tenants []domain.Tenant) map[Ref][]domain.Problem {
	o := overlap{
		found: make(map[Ref][]domain.Problem), places: make(map[place]Ref), tenants: make(map[place]string),
		issuers: make(map[string]*domain.Issuer, len(issuers)), hosts: make(map[string][]*domain.Issuer),
	}
	for i := range issuers {
		issuer := &issuers[i]
		o.issuers[issuer.Name] = issuer
		for n, host := range issuer.AllHosts() {
			field := "url"
			if n > 0 {
				field = fmt.Sprintf("hosts[%d]", n-1)
			}
			o.claim(place{host, issuer.Prefix()}, Ref{domain.KindIssuer, issuer.Name}, issuer, field)
		}
	}
	o.management(issuers)
	for i := range tenants {
		o.tenant(&tenants[i])
	}
	for host, list := range o.hosts {
		for _, issuer := range list {
			r.shadowed(&o, host, issuer, list)
		}
	}
	return o.found
}

// place is where an issuer is reached.
type place struct{ host, prefix string }

type overlap struct {
	found   map[Ref][]domain.Problem
	issuers map[string]*domain.Issuer
	places  map[place]Ref               // whose it is: an issuer
	tenants map[place]string            // tenant by host and issuer
	hosts   map[string][]*domain.Issuer // that are reached at the host
}

func (o *overlap) add(of Ref, field, format string, args ...any) {
	o.found[of] = append(o.found[of], domain.Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

// claim takes a place for an issuer, and tells both where it is taken.
func (o *overlap) claim(at place, by Ref, issuer *domain.Issuer, field string) {
	mine := Ref{domain.KindIssuer, issuer.Name}
	owner, taken := o.places[at]
	switch {
	case !taken:
		o.places[at] = mine
		if !slices.Contains(o.hosts[at.host], issuer) {
			o.hosts[at.host] = append(o.hosts[at.host], issuer)
		}
	case owner != mine:
		o.add(by, field, "%s%s belongs to issuer %s; give one of them another host or path", at.host, at.prefix, owner.Key)
		o.add(owner, "url", "%s%s is claimed by %s %s too; give one of them another host or path", at.host, at.prefix, by.Kind, by.Key)
	}
}

// management tells where more than one issuer administers.
func (o *overlap) management(issuers []domain.Issuer) {
	for i := range issuers {
		for j := range issuers {
			if i != j && issuers[i].Management && issuers[j].Management {
				o.add(Ref{domain.KindIssuer, issuers[i].Name}, "management", "is issuer %s already; there is one whose tokens administer", issuers[j].Name)
			}
		}
	}
}

func (o *overlap) tenant(t *domain.Tenant) {
	me := Ref{domain.KindTenant, t.ID}
	for name, hosts := range t.Hosts {
		issuer := o.issuers[name]
		if issuer == nil {
			o.add(me, "hosts."+name, "there is no issuer %q", name)
			continue
		}
		for i, h := range hosts {
			field := fmt.Sprintf("hosts.%s[%d]", name, i)
			host := domain.Host(h)
			// The issuer's own host may be a tenant's, but only one tenant's.
			o.claim(place{host, issuer.Prefix()}, me, issuer, field)
			at := place{host, name}
			if other, ok := o.tenants[at]; ok && other != t.ID {
				o.add(me, field, "%s belongs to tenant %s; a host is one tenant's", h, other)
				o.add(Ref{domain.KindTenant, other}, "hosts."+name, "%s is claimed by tenant %s too; a host is one tenant's", h, t.ID)
			} else if ok {
				o.add(me, field, "%s stands there twice", h)
			}
			o.tenants[at] = t.ID
		}
	}
}

// shadowed tells where an endpoint of the issuer lies below the longer prefix of
// another one at the same host, and so is never reached. A tenant whose host it is is
// told too: it may be the one that brought the two together.
func (r *Registry) shadowed(o *overlap, host string, issuer *domain.Issuer, others []*domain.Issuer) {
	d := r.dialect(issuer)
	if d == nil {
		return
	}
	for _, path := range []string{d.Wire.Path, domain.JWKSPath, oauth.MetadataPath} {
		at := issuer.Prefix() + path
		for _, other := range others {
			prefix := other.Prefix()
			below := at == prefix || strings.HasPrefix(at, prefix+"/")
			problem := domain.Problem{Field: "url", Message: fmt.Sprintf("%s lies below the prefix of issuer %s at the same host, so nobody would reach it; give one of them another host or path", at, other.Name)}
			if me := (Ref{domain.KindIssuer, issuer.Name}); len(prefix) > len(issuer.Prefix()) && below && !slices.Contains(o.found[me], problem) {
				o.found[me] = append(o.found[me], problem)
				o.add(Ref{domain.KindIssuer, other.Name}, "url", "%s of issuer %s lies below its prefix; give one of them another host or path", at, issuer.Name)
				for _, name := range []string{issuer.Name, other.Name} {
					if id, ok := o.tenants[place{host, name}]; ok {
						o.add(Ref{domain.KindTenant, id}, "hosts."+name, "%s: %s of issuer %s lies below the prefix of issuer %s there; take another host", host, at, issuer.Name, other.Name)
					}
				}
			}
		}
	}
}
