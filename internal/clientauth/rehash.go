package clientauth

import (
	"context"

	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
)

// maxRehashing bounds the hashes being made again at once; the next use of a
// secret that found no place tries again.
const maxRehashing = 16

// succeed does what follows a right secret.
func (a *Authenticator) succeed(in *Request, m match) Result {
	if in.ImportedSecrets {
		source := ratelimit.SourceOf(in.Source)
		if a.Guesses.Succeeded(ratelimit.Client{Issuer: in.Issuer, ID: m.client.ID}, source) && a.Trust != nil {
			a.Trust(in.Issuer, m.client.ID, source)
		}
	}
	if a.Rehash != nil && m.secret.Verifier.NeedsRehash(a.Peppers) && m.secret.ClaimRehash() {
		a.startRehash(in.Issuer, m)
	}
	return Result{Client: m.client, SecretID: m.secret.ID, Known: m.client.ID, Tenant: m.client.Tenant}
}

// startRehash makes a better hash off the request's path: argon2id of a
// foreign one, the current pepper's of a keyed one.
func (a *Authenticator) startRehash(issuer string, m match) {
	if a.rehashing.Add(1) > maxRehashing {
		a.rehashing.Add(-1)
		m.secret.ReleaseRehash()
		return
	}
	a.background.Go(func() {
		defer a.rehashing.Add(-1)
		better, err := a.hash(issuer, m)
		if err != nil || better == "" { // the gate is busy with guesses
			m.secret.ReleaseRehash()
			return
		}
		if m.secret.Verifier.Imported() {
			a.memory.add(a.memory.of(issuer, m.client.ID, m.secret.ID, better, m.plain))
		}
		if !a.Rehash(issuer, m.client.ID, m.secret.ID, m.secret.Hash, better) {
			m.secret.ReleaseRehash()
		}
	})
}

func (a *Authenticator) hash(issuer string, m match) (better string, err error) {
	if !m.secret.Verifier.Imported() {
		return a.Peppers.Hash(issuer, m.client.ID, m.secret.ID, m.plain), nil
	}
	if busy := a.Gate.Do(context.Background(), func() { better, err = secret.HashImported(m.plain) }); busy != nil {
		return "", busy
	}
	return better, err
}
