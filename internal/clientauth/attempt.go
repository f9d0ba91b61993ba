package clientauth

import (
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// failingHashes is how many keyed hashes a failing attempt costs at least: as many
// as a client has secrets alive at most.
const failingHashes = 2

// attempt is what a request may mean: its credentials as they stand, and, for
// imported clients, URL-decoded.
type attempt struct {
	now    time.Time // judges expiry
	begun  time.Time // by the clock of this machine
	known  string    // id of the client that exists, if any
	tenant string    // of that client
	tries  [2]try
	n      int
}

// try is one reading of the credentials.
type try struct {
	client *snapshot.Client // nil: nobody may authenticate so
	secret oauth.Secret
}

// match is a secret that was right.
type match struct {
	client *snapshot.Client
	secret *snapshot.Secret
	plain  oauth.Secret
}

// add notes a reading; c is nil where there is no such client.
func (at *attempt) add(in *Request, c *snapshot.Client, cred oauth.Credentials) {
	if c != nil {
		at.known, at.tenant = c.ID, c.Tenant
		// D-21: on the host of a tenant that tenant, and no other, is served;
		// nor is a platform-wide client.
		if !c.Alive(at.now) || in.Tenant != "" && c.Tenant != in.Tenant {
			c = nil
		}
	}
	at.tries[at.n] = try{client: c, secret: cred.Secret}
	at.n++
}

// decode reads Basic credentials as RFC 6749 §2.3.1 has them encoded. It
// reports false where they say nothing else than the raw ones, and in issuers without
// imported secrets: what we generate is the same in both readings (COM-04).
func decode(in *Request) (oauth.Credentials, bool) {
	c := in.Credentials
	if !in.ImportedSecrets || !c.Basic || !strings.ContainsAny(c.ID, "%+") && !strings.ContainsAny(string(c.Secret), "%+") {
		return c, false
	}
	id, err := url.QueryUnescape(c.ID)
	if err != nil {
		return c, false
	}
	plain, err := url.QueryUnescape(string(c.Secret))
	if err != nil || id == "" || plain == "" {
		return c, false
	}
	return oauth.Credentials{ID: id, Secret: oauth.Secret(plain), Basic: true}, true
}

// keyed tries the secrets of our making: at least pad of them, though there be
// fewer.
func (a *Authenticator) keyed(in *Request, at *attempt, pad int) (match, bool) {
	for i := range at.tries[:at.n] {
		t := &at.tries[i]
		for j := range t.live() {
			s := &t.client.Secrets[j]
			if s.Verifier.Imported() || !s.Live(at.now) {
				continue
			}
			if a.verify(s.Verifier, in.Issuer, t.client.ID, s.ID, t.secret) {
				return match{client: t.client, secret: s, plain: t.secret}, true
			}
			pad--
		}
	}
	for ; pad > 0; pad-- {
		a.verify(a.nobody(), in.Issuer, in.Credentials.ID, "", in.Credentials.Secret)
	}
	return match{}, false
}

// live are the secrets of the client, if there is one.
func (t *try) live() []snapshot.Secret {
	if t.client == nil {
		return nil
	}
	return t.client.Secrets
}

// nobody is a keyed hash under the current pepper that no secret matches. Without a
// pepper, which lets nobody in either, it is the zero Verifier.
func (a *Authenticator) nobody() secret.Verifier {
	if v := a.dummy.Load(); v != nil && !(*v).NeedsRehash(a.Peppers) {
		return *v
	}
	v, err := secret.Parse(a.Peppers.Hash("", "", "", secret.Generate()))
	if err != nil {
		return secret.Verifier{}
	}
	a.dummy.Store(&v)
	return v
}
