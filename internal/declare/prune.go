package declare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// surplus is what is of the set and in its files no more.
type surplus struct{ body }

// item tells of it as of one that was deleted.
func (s surplus) item(withDifferences bool) Item {
	_, file := whose(originOf(s.body))
	item := Item{Kind: s.Kind(), Key: s.Key(), Label: label(s.body), File: file, Outcome: Deleted}
	if withDifferences {
		item.Differences = differences(s.body, nil)
	}
	return item
}

// surplus lists what is of the set and not among the objects, what refers to others
// before those: in the reverse order of kinds.
func (c *checker) surplus(ctx context.Context, set string, objects []*Object) ([]surplus, error) {
	declared := make(map[registry.Ref]bool, len(objects))
	for _, o := range objects {
		declared[registry.Ref{Kind: o.Kind(), Key: o.Key()}] = true
	}
	var list []surplus
	add := func(v body) {
		of, _ := whose(originOf(v))
		if of == set && !declared[registry.Ref{Kind: v.Kind(), Key: v.Key()}] {
			list = append(list, surplus{v})
		}
	}
	for _, v := range c.stored {
		if v.Kind() != domain.KindClient {
			add(v)
		}
	}
	err := eachClient(ctx, c.reg.Store.Read().Clients, func(v domain.Client) { add(&v) })
	rank := ranks()
	slices.SortFunc(list, func(a, b surplus) int {
		if a.Kind() != b.Kind() {
			return rank[b.Kind()] - rank[a.Kind()]
		}
		return strings.Compare(a.Key(), b.Key())
	})
	return list, err
}

// eachClient calls f with every client.
func eachClient(ctx context.Context, clients domain.Table[domain.Client], f func(domain.Client)) error {
	page := domain.Page{Limit: most}
	for {
		list, err := clients.List(ctx, page)
		if err != nil {
			return err
		}
		for _, v := range list {
			f(v)
			page.After = v.Key()
		}
		if len(list) < most {
			return nil
		}
	}
}

// deleteAll deletes what is surplus in one transaction: where it was changed meanwhile it
// stays, and so do the others.
func deleteAll(ctx context.Context, reg *registry.Registry, by domain.Actor, list []surplus) error {
	for _, s := range list {
		if err := remove(ctx, reg, by, s.body); err != nil {
			return fmt.Errorf("prune %s %s (%s): %w", s.Kind(), s.Key(), originOf(s.body), err)
		}
	}
	return nil
}

func remove(ctx context.Context, reg *registry.Registry, by domain.Actor, v body) error {
	switch v := v.(type) {
	case *domain.Tier:
		return reg.DeleteTier(ctx, by, v.Name, v.Version)
	case *domain.Policy:
		return reg.DeletePolicy(ctx, by, v.Name, v.Version)
	case *domain.Issuer:
		return reg.DeleteIssuer(ctx, by, v.Name, v.Version)
	case *domain.Tenant:
		return reg.DeleteTenant(ctx, by, v.ID, v.Version)
	case *domain.API:
		return reg.DeleteAPI(ctx, by, v.Name, v.Version)
	case *domain.Client:
		return reg.DeleteClient(ctx, by, v.Issuer, v.ID, v.Version)
	}
	return fmt.Errorf("there is no kind %s", v.Kind())
}
