package guard

import (
	"fmt"

	"github.com/postern-dev/postern/internal/inprocess"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// verifiers judge the tokens of each API as one view has it.
type verifiers struct {
	view *snapshot.View
	of   map[*snapshot.API]*resourceserver.Verifier
}

// verifier returns that of an API in the view. All are made when a view is first seen;
// what they remember of tokens and of failures is the guard's and outlives them.
func (g *Guard) verifier(view *snapshot.View, api *snapshot.API) (*resourceserver.Verifier, error) {
	made := g.made.Load()
	if made == nil || made.view != view {
		var err error
		if made, err = g.makeVerifiers(view); err != nil {
			return nil, err
		}
	}
	return made.of[api], nil
}

func (g *Guard) makeVerifiers(view *snapshot.View) (*verifiers, error) {
	g.making.Lock()
	defer g.making.Unlock()
	if made := g.made.Load(); made != nil && made.view == view {
		return made, nil
	}
	made := &verifiers{view: view, of: make(map[*snapshot.API]*resourceserver.Verifier)}
	for _, api := range view.APIs() {
		if len(api.Issuers) == 0 { // nobody's tokens are good there
			continue
		}
		v, err := resourceserver.New(resourceserver.Config{
			Issuers: trusted(api), Realm: api.Realm, Cache: g.cache, Budget: g.budget, Now: g.Snapshot.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("API %s: %w", api.Name, err)
		}
		made.of[api] = v
	}
	g.made.Store(made)
	return made, nil
}

// trusted are the issuers of an API. Their keys lie in this process, symmetric ones too.
func trusted(api *snapshot.API) []resourceserver.Issuer {
	list := make([]resourceserver.Issuer, 0, len(api.Issuers))
	for _, i := range api.Issuers {
		list = append(list, resourceserver.Issuer{
			URL: i.URL, Audience: api.Audience, Type: i.Dialect.Server.Typ, Keys: i, InProcess: inprocess.Permit(),
		})
	}
	return list
}
