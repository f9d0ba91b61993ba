package registry

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// Imported is a secret that another system made: itself or its hash, one of them.
type Imported struct {
	Secret oauth.Secret
	Hash   string // argon2id, bcrypt or PBKDF2-SHA256, as package secret reads them
}

// ImportClient makes a client with an id and a secret of another system, in an
// issuer that takes such (RULES). Of spec what CreateClient takes.
func (r *Registry) ImportClient(ctx context.Context, by domain.Actor, spec domain.Client, cred Imported) (domain.Client, error) {
	if err := r.allow("client.import", by); err != nil {
		return domain.Client{}, err
	}
	hash, err := cred.hash()
	if err != nil {
		return domain.Client{}, err
	}
	spec.Imported = true
	return r.addClient(ctx, by, "client.import", spec, func(c *domain.Client, id string) domain.Secret {
		if hash == "" { // one of ours: 256 random bits
			return r.generated(c, id, cred.Secret)
		}
		return domain.Secret{ID: id, Created: r.now(), Hash: hash}
	})
}

// hash is what is kept of the secret, empty where that is a keyed hash. No error
// holds the secret or its hash.
func (i Imported) hash() (string, error) {
	refuse := func(field, message string) (string, error) {
		return "", &domain.Invalid{Object: "imported secret", Problems: []domain.Problem{{Field: field, Message: message}}}
	}
	switch {
	case (i.Secret == "") == (i.Hash == ""):
		return refuse("secret", "give the secret or its hash, one of them")
	case i.Hash != "":
		v, err := secret.Parse(i.Hash)
		if err != nil {
			return refuse("secret_hash", err.Error())
		}
		if !v.Imported() {
			return refuse("secret_hash", "is a keyed hash of another Postern, which is worth nothing without its pepper; give the secret itself")
		}
		return i.Hash, nil
	case len(i.Secret) > secret.MaxLength:
		return refuse("secret", fmt.Sprintf("is longer than %d bytes", secret.MaxLength))
	case strings.ContainsFunc(string(i.Secret), func(c rune) bool { return c < 0x20 || c > 0x7e }):
		return refuse("secret", "holds more than printable ASCII (RFC 6749 §A.2)")
	case secret.WellFormed(string(i.Secret)):
		return "", nil
	}
	return secret.HashImported(i.Secret)
}

// checkDecoded refuses what an imported id may not be: in an issuer that takes
// none, or equal to another after URL-decoding, as both forms are tried when it
// comes in a Basic header (COM-04).
func (r *Registry) checkDecoded(ctx context.Context, t domain.Tables, c *domain.Client) error {
	if !c.Imported {
		return nil
	}
	invalid := func(field, format string, args ...any) error {
		return &domain.Invalid{Object: fmt.Sprintf("client %q", c.ID), Problems: []domain.Problem{{Field: field, Message: fmt.Sprintf(format, args...)}}}
	}
	issuer, err := r.issuerOf(ctx, t, c)
	if err != nil {
		return err
	}
	if !issuer.ImportedSecrets {
		return invalid("issuer", "issuer %s takes no imported secrets; it must say imported_secrets: true", issuer.Name)
	}
	if wasteful(c.ID) {
		return invalid("id", "%q escapes characters that need no escape (RFC 3986 §2.3)", c.ID)
	}
	if !strings.ContainsFunc(c.ID, reserved) {
		return nil // no other id decodes to it: that one would be wasteful
	}
	var clash *domain.Client
	mine := forms(c.ID)
	err = eachClient(ctx, t, domain.Page{Prefix: domain.ClientKey(c.Issuer, "")}, func(other domain.Client) bool {
		for _, form := range forms(other.ID) {
			if other.ID != c.ID && (form == mine[0] || form == mine[1]) {
				clash = &other
			}
		}
		return clash == nil
	})
	if err != nil || clash == nil {
		return err
	}
	if !r.Sees(clash.Issuer, clash.Tenant) { // D-102
		return invalid("id", "%q and that of another client can be the same after URL-decoding", c.ID)
	}
	return invalid("id", "%q and the client %q there is can be the same after URL-decoding", c.ID, clash.ID)
}

// forms are an id raw and URL-decoded once (RFC 6749 §2.3.1).
func forms(id string) [2]string {
	decoded, err := url.QueryUnescape(id)
	if err != nil {
		decoded = id
	}
	return [2]string{id, decoded}
}

// reserved reports whether form encoding changes the character.
func reserved(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~", c)
}

// wasteful reports whether the id has an escape of an unreserved character.
func wasteful(id string) bool {
	for i := range id {
		if id[i] != '%' || i+3 > len(id) {
			continue
		}
		if s, err := url.PathUnescape(id[i : i+3]); err == nil && len(s) == 1 && !reserved(rune(s[0])) {
			return true
		}
	}
	return false
}
