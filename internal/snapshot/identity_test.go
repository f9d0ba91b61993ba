package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// RULES "Keys and tokens": one key, one purpose, one algorithm, its own kid, set and typ.
func TestIdentityKeys(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "bipsync", "https://id.example.com", "HS256")
	s := w.open(w.db)
	if issuer, _ := s.View().Issuer("main"); issuer.IdentitySigner(start) != nil || string(issuer.IdentityJWKS(start)) != `{"keys":[]}` {
		t.Error("without a key for identities another one serves")
	}
	var made []domain.Key
	for _, from := range []time.Time{start, start.Add(keys.Lead)} {
		k, err := keys.MakeFor(domain.PurposeIdentity, &i, w.vault.Ring, start, from)
		w.check(err)
		put(t, w.db, keyRows, k, 0)
		made = append(made, k)
	}
	w.check(s.Poll(t.Context()))
	issuer, _ := s.View().Issuer("main")
	signer := issuer.IdentitySigner(start)
	if signer == nil || signer.Key().ID != made[0].ID || signer.Key().Algorithm != jwt.ES256 || issuer.Signer(start).Key().Algorithm != jwt.HS256 {
		t.Fatalf("signs identities with %v, access tokens with %v", signer, issuer.Signer(start))
	}
	if later := issuer.IdentitySigner(start.Add(keys.Lead)); later.Key().ID != made[1].ID {
		t.Errorf("signs with %s, whose turn is over", later.Key().ID)
	}
	compact, err := signer.Sign(nil, []byte(`{}`))
	w.check(err)
	header, _, err := jwt.Parse(string(compact))
	if err != nil || header.Type != "postern-identity+jwt" {
		t.Errorf("typ %q, %v", header.Type, err)
	}
	set := string(issuer.IdentityJWKS(start))
	if !strings.Contains(set, made[0].ID) || !strings.Contains(set, made[1].ID) || strings.Contains(set, `"d"`) {
		t.Errorf("published: %s", set)
	}
	if access := string(issuer.JWKS(start)); access != `{"keys":[]}` {
		t.Errorf("beside access tokens: %s", access)
	}
	if known, err := issuer.Keys(t.Context(), made[0].ID); err != nil || known.Len() != 0 {
		t.Errorf("a key for identities verifies access tokens: %v", err)
	}
	put(t, w.db, tenants, domain.Tenant{ID: "t", Label: "T"}, 0) // a new view
	w.check(s.Poll(t.Context()))
	if again, _ := s.View().Issuer("main"); again == issuer || again.IdentitySigner(start) != signer {
		t.Error("the key was opened again")
	}
}
