package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// uses are last uses by secret id.
type uses map[string]time.Time

func (u uses) LastUses(context.Context, string, string) (map[string]time.Time, error) { return u, nil }

// good reports whether a secret opens a client now.
func (r *room) good(t *testing.T, id string, s oauth.Secret) bool {
	t.Helper()
	c, err := r.GetClient(t.Context(), "main", id)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range c.Secrets {
		v, err := secret.Parse(kept.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Live(r.Now()) && v.Verify(r.Vault.Peppers, c.Issuer, c.ID, kept.ID, s) {
			return true
		}
	}
	return false
}

// COM-08: a client has two secrets for a while.
func TestRotation(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	_, first := r.client(t)
	state := func(a, b oauth.Secret, want [2]bool) {
		t.Helper()
		if got := [2]bool{r.good(t, clientID, a), r.good(t, clientID, b)}; got != want {
			t.Errorf("good: %v, want %v", got, want)
		}
	}
	c, second, err := r.StartRotation(ctx, by, "main", clientID, 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Secrets) != 2 || c.Secrets[0].Expires == nil || !c.Secrets[0].Expires.Equal(r.Now().Add(7*24*time.Hour)) || c.Secrets[1].Expires != nil || c.Epoch != 1 {
		t.Fatalf("%+v", c)
	}
	if got := c.Secrets[1].LastFour; got != string(second[len(second)-4:]) {
		t.Errorf("last four %q", got)
	}
	state(first, second, [2]bool{true, true})
	before := len(r.feed(t))
	if _, _, err := r.StartRotation(ctx, by, "main", clientID, 0); !errors.Is(err, registry.ErrRotating) || len(r.feed(t)) != before {
		t.Errorf("a third secret: %v", err)
	}
	if c, err = r.CancelRotation(ctx, by, "main", clientID); err != nil || len(c.Secrets) != 1 || c.Secrets[0].Expires != nil || c.Epoch != 1 {
		t.Fatalf("cancelled: %+v, %v", c, err)
	}
	state(first, second, [2]bool{true, false})
	for name, end := range map[string]func() error{
		"cancel":   func() error { _, err := r.CancelRotation(ctx, by, "main", clientID); return err },
		"complete": func() error { _, err := r.CompleteRotation(ctx, by, "main", clientID, true); return err },
	} {
		if err := end(); !errors.Is(err, registry.ErrNoRotation) {
			t.Errorf("%s where there is none: %v", name, err)
		}
	}
	for i, kill := range []bool{false, true} { // its tokens live, or die
		c, second, err = r.StartRotation(ctx, by, "main", clientID, 0)
		if err != nil || c.Secrets[0].Expires != nil {
			t.Fatalf("%+v, %v", c, err)
		}
		if c, err = r.CompleteRotation(ctx, by, "main", clientID, kill); err != nil || c.Epoch != int64(1+i) {
			t.Errorf("kill %v: epoch %d, %v", kill, c.Epoch, err)
		}
		state(first, second, [2]bool{false, true})
		first = second
	}
}

// An expired secret does not count as alive, and goes with the next change.
func TestRotationExpires(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	_, first := r.client(t)
	if _, _, err := r.StartRotation(ctx, by, "main", clientID, -time.Hour); err == nil {
		t.Error("it expired before it began")
	}
	_, second, err := r.StartRotation(ctx, by, "main", clientID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.pass(time.Hour)
	if r.good(t, clientID, first) || !r.good(t, clientID, second) {
		t.Error("the old secret outlived its expiry, or the new one did not")
	}
	if _, err := r.CancelRotation(ctx, by, "main", clientID); !errors.Is(err, registry.ErrNoSecret) {
		t.Errorf("the last secret that is alive went: %v", err)
	}
	if now, err := r.Rotation(ctx, "main", clientID); err != nil || now.Rotating || len(now.Secrets) != 1 {
		t.Errorf("%+v, %v", now, err)
	}
	c, third, err := r.StartRotation(ctx, by, "main", clientID, 0)
	if err != nil || len(c.Secrets) != 2 || !r.good(t, clientID, second) || !r.good(t, clientID, third) {
		t.Fatalf("after the expiry: %+v, %v", c, err)
	}
	if _, err := r.CancelRotation(ctx, by, "main", clientID); err != nil {
		t.Fatal(err)
	}
	if _, _, err = r.StartRotation(ctx, by, "main", clientID, time.Hour); err != nil {
		t.Fatal(err)
	}
	r.pass(time.Hour)
	c, err = r.UpdateClient(ctx, by, "main", clientID, 0, func(c *domain.Client) error { c.Note = "n"; return nil })
	if err != nil || len(c.Secrets) != 1 {
		t.Errorf("an update kept the expired secret: %+v, %v", c.Secrets, err)
	}
}

// Safe to retire: not used for a day, of a rotation that is a day old.
func TestRotationSafe(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	r.client(t)
	old, started := "1-1", r.Now()
	check := func(what string, rotating, safe bool, from time.Time) {
		t.Helper()
		now, err := r.Rotation(ctx, "main", clientID)
		if err != nil || now.Rotating != rotating || now.Safe != safe || (now.SafeFrom == nil) != from.IsZero() || now.SafeFrom != nil && !now.SafeFrom.Equal(from) {
			t.Errorf("%s: %+v, %v", what, now, err)
		}
	}
	check("no rotation", false, false, time.Time{})
	if _, _, err := r.StartRotation(ctx, by, "main", clientID, 0); err != nil {
		t.Fatal(err)
	}
	check("uses not recorded", true, false, time.Time{})
	used := uses{}
	r.Uses = used
	check("begun", true, false, started.Add(24*time.Hour))
	r.pass(24*time.Hour - time.Second)
	check("not yet", true, false, started.Add(24*time.Hour))
	r.pass(time.Second)
	check("a day", true, true, started.Add(24*time.Hour))
	used[old] = started.Add(time.Hour)
	check("used since", true, false, started.Add(25*time.Hour))
	r.pass(time.Hour)
	check("not used since", true, true, started.Add(25*time.Hour))
	used[old] = started.Add(-240 * time.Hour)
	check("used long ago", true, true, started.Add(24*time.Hour))
	now, err := r.Rotation(ctx, "main", clientID)
	if err != nil || now.Secrets[0].LastUsed == nil || now.Secrets[1].LastUsed != nil {
		t.Errorf("%+v, %v", now, err)
	}
}

// ARB-10: delete and recreate in one step ends a rotation too; with kill every token.
func TestReplaceSecretsInRotation(t *testing.T) {
	r := furnished(t)
	_, first := r.client(t)
	_, second, err := r.StartRotation(t.Context(), by, "main", clientID, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, third, err := r.ReplaceSecrets(t.Context(), by, "main", clientID, true)
	if err != nil || c.Epoch != 2 || r.good(t, clientID, first) || r.good(t, clientID, second) || !r.good(t, clientID, third) {
		t.Errorf("%+v, %v", c, err)
	}
}
