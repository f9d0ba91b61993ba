package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

const importedObjects = `kind: Issuer
name: vibes
url: https://vibes.example
dialect: vibes
imported_secrets: true
---
kind: Tenant
id: bb000000-0000-4000-8000-000000000001
label: Corner Coffee
`

func vibesUser() domain.Client {
	return domain.Client{
		Issuer: "vibes", ID: "VibesUser", Name: "messaging",
		Tenant: "bb000000-0000-4000-8000-000000000001", Audiences: []string{"urn:vibes:rbm"},
	}
}

// vibesRequest is the vendor's printed request.
func vibesRequest(id, secret string) []byte {
	basic := base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
	return compose([]string{
		"POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Authorization: Basic " + basic, "",
		"grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret + "&scope=https://rbm.vibes.com/rbm.agents",
	}, "vibes.example")
}

// foreign are hashes of Password123 that other people's libraries made.
func foreign(t *testing.T) map[string]registry.Imported {
	t.Helper()
	data, err := os.ReadFile("../internal/secret/testdata/foreign.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct{ Name, Secret, Hash string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	list := map[string]registry.Imported{"plaintext": {Secret: "Password123"}}
	for _, v := range file.Vectors {
		if v.Secret == "Password123" {
			list[v.Name] = registry.Imported{Hash: v.Hash}
		}
	}
	if len(list) < 7 {
		t.Fatalf("%d hashes", len(list))
	}
	return list
}

// VIB-06: id and secret of the vendor's example header, imported as plaintext and as
// every hash there is; a foreign hash is replaced at its first use.
func TestImportedSecrets(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if _, err := w.create(importedObjects); err != nil {
		t.Fatal(err)
	}
	ctx, r := context.Background(), w.node.Registry
	for name, cred := range foreign(t) {
		if _, err := r.ImportClient(ctx, administrator, vibesUser(), cred); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := &wire{address: w.addresses[0]}
		a, err := c.send(vibesRequest("VibesUser", "Password123"))
		if err != nil || a.status != 200 {
			t.Fatalf("%s: %v %+v", name, err, a)
		}
		c.close()
		if err := replaced(ctx, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.DeleteClient(ctx, administrator, "vibes", "VibesUser", 0); err != nil {
			t.Fatal(err)
		}
	}
}

// replaced waits until the hash is one of our making.
func replaced(ctx context.Context, r *registry.Registry) error {
	hash := ""
	for range 500 {
		c, err := r.GetClient(ctx, "vibes", "VibesUser")
		if err != nil {
			return err
		}
		if hash = c.Secrets[0].Hash; strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the hash is still %.20s", hash)
}

// An issuer that does not say so takes none, and a hash without a known form is refused.
func TestImportIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if _, err := w.create(strings.Replace(importedObjects, "imported_secrets: true", "imported_secrets: false", 1)); err != nil {
		t.Fatal(err)
	}
	for _, cred := range []registry.Imported{{Secret: "Password123"}, {Hash: "$1$md5$xyz"}, {}, {Secret: "a", Hash: "b"}} {
		if _, err := w.node.Registry.ImportClient(context.Background(), administrator, vibesUser(), cred); err == nil {
			t.Errorf("%t %q: imported", cred.Secret != "", cred.Hash)
		} else if strings.Contains(err.Error(), "Password123") {
			t.Errorf("the secret is in the error: %v", err)
		}
	}
}

// D-13: guesses at an imported secret are counted by source; beyond ten they are not
// evaluated, right or wrong, and a source that succeeded lately is served all the while.
func TestGuessesLockNobodyOut(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if _, err := w.create(importedObjects); err != nil {
		t.Fatal(err)
	}
	if _, err := w.node.Registry.ImportClient(context.Background(), administrator, vibesUser(), registry.Imported{Secret: oauth.Secret("Password123")}); err != nil {
		t.Fatal(err)
	}
	send := func(from string, secret string) *answer {
		c := &wire{address: w.addresses[0], from: net.ParseIP(from)}
		defer c.close()
		a, err := c.send(vibesRequest("VibesUser", secret))
		if err != nil {
			t.Error(err)
			return &answer{}
		}
		return a
	}
	const victim, attacker = "127.5.0.1", "127.5.0.2"
	if a := send(victim, "Password123"); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			if a := send(attacker, fmt.Sprintf("guess%d", i)); a.status != 401 {
				t.Errorf("guess %d: %+v", i, a)
			}
		})
	}
	all.Wait()
	for _, secret := range []string{"guess11", "Password123"} {
		if a := send(attacker, secret); a.status != 429 || len(a.get("Retry-After")) != 1 {
			t.Errorf("%s: %+v", secret, a)
		}
	}
	if a := send(victim, "Password123"); a.status != 200 {
		t.Errorf("%+v", a)
	}
}

// D-11, COM-07: in an issuer with imported secrets too, whoever is not let in gets the same
// bytes, and none of them before the time that every failure takes.
func TestFailuresOfImportedClientsAreAlike(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if _, err := w.create(importedObjects); err != nil {
		t.Fatal(err)
	}
	ctx, r := context.Background(), w.node.Registry
	for _, id := range []string{"wrong", "disabled", "deleted"} {
		spec := vibesUser()
		spec.ID, spec.Name = id, id
		if _, err := r.ImportClient(ctx, administrator, spec, registry.Imported{Secret: "Password123"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.DisableClient(ctx, administrator, "vibes", "disabled"); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteClient(ctx, administrator, "vibes", "deleted", 0); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"unknown": "Password123", "wrong": "Password124", "disabled": "Password123", "deleted": "Password123"}
	bodies := make(chan string, len(secrets))
	var all sync.WaitGroup
	for id, secret := range secrets {
		all.Go(func() {
			c := &wire{address: w.addresses[0]}
			defer c.close()
			began := time.Now()
			a, err := c.send(vibesRequest(id, secret))
			if err != nil || a.status != 401 {
				t.Errorf("%s: %v %+v", id, err, a)
				return
			}
			if took := time.Since(began); took < clientauth.FailureTime {
				t.Errorf("%s: answered after %v", id, took)
			}
			bodies <- a.body
		})
	}
	all.Wait()
	close(bodies)
	first := <-bodies
	for body := range bodies {
		if body != first {
			t.Errorf("%s\n%s", first, body)
		}
	}
}
