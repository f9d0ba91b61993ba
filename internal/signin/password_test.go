package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

func TestCheckPassword(t *testing.T) {
	for name, tc := range map[string]struct {
		password oauth.Secret
		want     string // in the problem; empty: good
	}{
		"words":           {right, ""},
		"twelve":          {"kx7-Uq2_fz9w", ""},
		"umlauts":         {"gräßlich übel", ""},
		"eleven":          {"kx7-Uq2_fz9", "shorter than 12"},
		"twelve bytes":    {"äöüßäö", "shorter than 12"},
		"256 bytes":       {oauth.Secret(strings.Repeat("abcdefgh", 32)), ""},
		"257 bytes":       {oauth.Secret(strings.Repeat("abcdefgh", 32) + "i"), "more than 256 bytes"},
		"no UTF-8":        {"kx7-Uq2_fz9\xff\xfe", "not UTF-8"},
		"the name":        {"ann.berg@example.com", "guessed first"},
		"the name, upper": {"Ann.Berg@Example.com", "guessed first"},
		"name and year":   {"ann.berg2026", "guessed first"},
		"obvious":         {"Password1234", "guessed first"},
		"obvious twice":   {"passwordpassword", "guessed first"},
		"keyboard":        {"qwertyuiop123", "guessed first"},
		"digits":          {"1234567890123", "guessed first"},
		"product":         {"postern-admin", "guessed first"},
		"one letter":      {"aaaaaaaaaaaaaaaa", "different characters"},
		"holds the word":  {"my password is a river", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := signin.CheckPassword("ann.berg@example.com", tc.password)
			var invalid *domain.Invalid
			switch {
			case tc.want == "" && err != nil, tc.want != "" && !errors.As(err, &invalid):
				t.Errorf("%v", err)
			case tc.want != "" && !strings.Contains(err.Error(), tc.want):
				t.Errorf("%v, want %q", err, tc.want)
			case err != nil && strings.Contains(err.Error(), string(tc.password)):
				t.Errorf("%v shows the password", err)
			}
		})
	}
}

// D-100, D-37: whatever is wrong with name and password is one error, the right one signs in,
// and what was typed is written nowhere.
func TestPassword(t *testing.T) {
	s := newScene(t)
	ann := s.person("ann@example.com", domain.PlatformAdmin)
	s.person("off@example.com", domain.Auditor, func(p *domain.Person) { p.Status = domain.Disabled })
	s.person("oidc@example.com", domain.Auditor, func(p *domain.Person) { p.Password = "" })
	s.person("keyed@example.com", domain.Auditor, func(p *domain.Person) { p.Password = "$postern$p1$" + strings.Repeat("A", 43) })
	for name, in := range map[string]signin.NamePassword{
		"wrong":       {Name: "ann@example.com", Password: other},
		"unknown":     {Name: "typed-my-password-here", Password: right},
		"disabled":    {Name: "off@example.com", Password: right},
		"no password": {Name: "oidc@example.com", Password: right},
		"not a slow":  {Name: "keyed@example.com", Password: right},
		"no name":     {Password: right},
		"nothing":     {Name: "ann@example.com"},
		"long":        {Name: "ann@example.com", Password: oauth.Secret(strings.Repeat("x", 257))},
		"long name":   {Name: strings.Repeat("a", 255), Password: right},
	} {
		_, err := s.Password(t.Context(), in.Name, in.Password, home)
		if err == nil || err.Error() != signin.ErrPassword.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := s.Password(t.Context(), " Ann@Example.com ", right, home)
	if err != nil || got.ID != ann.ID {
		t.Errorf("the right one: %v, %v", got.ID, err)
	}
	for _, e := range s.entries {
		if text := fmt.Sprintf("%#v", e); strings.Contains(text, "typed-my-password") || strings.Contains(text, string(right)) || e.Action != signin.SessionRefused {
			t.Errorf("recorded %s", text)
		}
	}
	if len(s.entries) != 5 {
		t.Errorf("recorded %d of 5 evaluated refusals", len(s.entries))
	}
}

// D-100: at most two slow hashes at once for all, and names that there are not wait for their
// turn as those that there are: they cost the same.
func TestEveryGuessGoesThroughTheGate(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	s.person("off@example.com", domain.Auditor, func(p *domain.Person) { p.Status = domain.Disabled })
	if _, err := s.Password(t.Context(), "ann@example.com", right, home); err != nil {
		t.Fatal(err)
	}
	hold, inside := make(chan struct{}), make(chan struct{}, 2)
	defer close(hold)
	for range 2 {
		go func() { _ = s.gate.Do(context.WithoutCancel(t.Context()), func() { inside <- struct{}{}; <-hold }) }()
	}
	<-inside
	<-inside
	for _, name := range []string{"ann@example.com", "nobody@example.com", "off@example.com"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // the gate does not open
		_, err := s.Password(ctx, name, right, home)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s did not wait: %v", name, err)
		}
	}
}

// D-100: ten wrong guesses of a name from a source in a quarter of an hour; then not even the
// right one is looked at, until the first of them is old enough. Another source is not held back.
func TestGuessesOfAName(t *testing.T) {
	for _, name := range []string{"ann@example.com", "nobody@example.com"} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.person("ann@example.com", domain.PlatformAdmin)
			for range 10 {
				if _, err := s.Password(t.Context(), name, other, abroad); !errors.Is(err, signin.ErrPassword) {
					t.Fatal(err)
				}
			}
			_, err := s.Password(t.Context(), name, right, abroad)
			var wait *signin.TooMany
			if !errors.As(err, &wait) || wait.Wait > 15*time.Minute || wait.Wait < 14*time.Minute {
				t.Fatalf("the eleventh: %v", err)
			}
			if strings.Contains(err.Error(), name) {
				t.Errorf("told %v", err)
			}
			_, err = s.Password(t.Context(), name, right, home)
			if good := name == "ann@example.com"; good != (err == nil) || !good && !errors.Is(err, signin.ErrPassword) {
				t.Errorf("from another source: %v", err)
			}
			s.pass(15*time.Minute + time.Second)
			if _, err := s.Password(t.Context(), name, other, abroad); !errors.Is(err, signin.ErrPassword) {
				t.Errorf("a quarter of an hour later: %v", err)
			}
		})
	}
}

// D-100: ten wrong guesses of a source, whatever the names; but who signed in from there lately is served.
func TestGuessesOfASource(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	s.person("ben@example.com", domain.PlatformAdmin)
	if _, err := s.Password(t.Context(), "ann@example.com", right, home); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := s.Password(t.Context(), fmt.Sprintf("n%d@example.com", i), other, home); !errors.Is(err, signin.ErrPassword) {
			t.Fatal(err)
		}
	}
	var wait *signin.TooMany
	for _, name := range []string{"ben@example.com", "nobody@example.com"} {
		if _, err := s.Password(t.Context(), name, right, home); !errors.As(err, &wait) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Password(t.Context(), "ann@example.com", right, home); err != nil {
		t.Errorf("ann, who signed in from there: %v", err)
	}
}

// D-100: what all others do to a name is no matter for a source that signed in under it.
func TestNobodyIsLockedOutFromElsewhere(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	if _, err := s.Password(t.Context(), "ann@example.com", right, home); err != nil {
		t.Fatal(err)
	}
	addr := abroad
	for i := range 100 {
		if i%10 == 0 {
			addr = netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + i)})
		}
		if _, err := s.Password(t.Context(), "ann@example.com", other, addr); !errors.Is(err, signin.ErrPassword) {
			t.Fatal(i, err)
		}
	}
	var wait *signin.TooMany
	if _, err := s.Password(t.Context(), "ann@example.com", right, abroad); !errors.As(err, &wait) {
		t.Errorf("a stranger after a hundred guesses: %v", err)
	}
	if _, err := s.Password(t.Context(), "ann@example.com", right, home); err != nil {
		t.Errorf("ann: %v", err)
	}
}

// What is stored is argon2id at the strength of RULES, and no two are alike.
func TestHashPassword(t *testing.T) {
	s := newScene(t)
	a, errA := s.HashPassword(t.Context(), "ann@example.com", right)
	b, errB := s.HashPassword(t.Context(), "ann@example.com", right)
	if errA != nil || errB != nil || a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s, %v, %s, %v", a, errA, b, errB)
	}
	v, err := secret.Parse(a)
	if err != nil || !v.Verify(nil, "", "", "", right) || v.Verify(nil, "", "", "", other) {
		t.Errorf("does not verify: %v", err)
	}
	if _, err := s.HashPassword(t.Context(), "ann@example.com", "password1234"); err == nil {
		t.Error("hashes what is obvious")
	}
}

// What a client sends is what it is, and what anybody prints of it is not (D-37).
func TestSecretsOnTheWire(t *testing.T) {
	in := signin.Acceptance{Token: "the-token", Name: "ann@example.com", Password: right}
	var out struct {
		Acceptance signin.Acceptance
		Sign       signin.NamePassword
	}
	data, err := json.Marshal(map[string]any{"Acceptance": in, "Sign": signin.NamePassword{Name: in.Name, Password: right}})
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil || out.Acceptance != in || out.Sign.Name != in.Name || out.Sign.Password != right {
		t.Errorf("%s, %v", data, err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", in, "b", out.Sign, "c", fmt.Sprintf("%+v %#v", in, out))
	if strings.Contains(log.String(), string(right)) || strings.Contains(log.String(), "the-token") {
		t.Errorf("logged %s", log.String())
	}
}
