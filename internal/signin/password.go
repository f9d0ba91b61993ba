package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// What a password must be.
const (
	minPassword = 12 // characters
	maxPassword = secret.MaxLength
	minDistinct = 5 // different characters
)

// obvious are passwords of twelve characters and more that are guessed first, and the pieces
// that they are made of: what is left of a password without them must not be too little.
func obvious() []string {
	return []string{
		"password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "administrator", "admin", "postern", "letmein", "welcome", "changeme", "iloveyou", "sunshine",
		"football", "baseball", "princess", "superman", "trustno1", "correcthorsebatterystaple", "correct horse battery staple", "secret", "qwerty", "azerty", "qwertz",
		"qwertyuiop", "qwertzuiop", "asdfghjkl", "1q2w3e4r5t6y", "1qaz2wsx3edc", "zxcvbnm", "1234567890", "0123456789", "123456789", "123456", "1234", "0987654321", "987654321", "abcdefghijkl", "abcdef", "abc123",
	}
}

const (
	minLeft = 5 // characters that must be left of a password without what is obvious, and without the name
	minWord = 4 // bytes of a name that is looked for
)

// CheckPassword tells what is wrong with a password of the person: a *domain.Invalid that
// shows nothing of it.
func CheckPassword(name string, password oauth.Secret) error {
	say := func(message string) error {
		return domain.AsError("the password", []domain.Problem{{Field: "password", Message: message}})
	}
	text := string(password)
	switch {
	case !utf8.ValidString(text):
		return say("is not UTF-8; type it anew")
	case utf8.RuneCountInString(text) < minPassword:
		return say(fmt.Sprintf("is shorter than %d characters; a few words that do not belong together are easy to keep in mind", minPassword))
	case len(text) > maxPassword:
		return say(fmt.Sprintf("has more than %d bytes; choose a shorter one", maxPassword))
	}
	seen := make(map[rune]bool)
	for _, c := range text {
		seen[c] = true
	}
	if len(seen) < minDistinct {
		return say(fmt.Sprintf("has fewer than %d different characters; choose another", minDistinct))
	}
	left := strings.ToLower(text)
	local, _, _ := strings.Cut(strings.ToLower(name), "@")
	words := append([]string{strings.ToLower(name), local}, obvious()...)
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	for _, word := range words {
		if len(word) >= minWord {
			left = strings.ReplaceAll(left, word, "")
		}
	}
	if utf8.RuneCountInString(left) < minLeft {
		return say("is the name, or one that is guessed first; choose another")
	}
	return nil
}

// HashPassword is the argon2id of a password that CheckPassword has nothing against. It waits
// at the gate; *TooMany where too many wait already.
func (s *SignIn) HashPassword(ctx context.Context, name string, password oauth.Secret) (string, error) {
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	return s.hash(ctx, password)
}

func (s *SignIn) hash(ctx context.Context, password oauth.Secret) (hash string, err error) {
	var failed error
	err = s.Gate.Do(ctx, func() { hash, failed = secret.HashImported(password) })
	if errors.Is(err, secret.ErrBusy) {
		err = tooMany(0)
	}
	return hash, errors.Join(err, failed)
}

// nobodysHash is of no password that anybody knows, at the price of those that we make.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// maxName is the longest name that anybody has, in bytes.
const maxName = 254

// foldName is the name as people have it.
func foldName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Password finds the person whose name and password these are. Whatever is wrong is
// ErrPassword; *TooMany where this is no time for a guess (D-100).
func (s *SignIn) Password(ctx context.Context, name string, password oauth.Secret, source netip.Addr) (domain.Person, error) {
	name = foldName(name)
	if name == "" || len(name) > maxName || password == "" || len(password) > maxPassword {
		return domain.Person{}, ErrPassword // D-10: nobody's, before anything is looked up or hashed
	}
	p, err := s.People.FindPerson(ctx, name)
	if err != nil && !errors.Is(err, domain.ErrNotFound) {
		return domain.Person{}, fmt.Errorf("sign in: %w", err)
	}
	known := err == nil
	from := ratelimit.SourceOf(source)
	guess, err := s.guess(name, known, from)
	if err != nil {
		return domain.Person{}, err
	}
	right, err := s.compare(ctx, &p, password, guess.trusted)
	switch {
	case err != nil:
		guess.withdraw() // it was not evaluated
		return domain.Person{}, err
	case right && known && p.Status == domain.Enabled:
		guess.withdraw()
		s.names.Succeeded(guessed(name), from)
		return p, nil
	}
	if !known {
		return domain.Person{}, errors.Join(ErrPassword, s.note(ctx, SessionRefused, nil, source, string(oauth.FailureCredentialsWrong)))
	}
	return domain.Person{}, errors.Join(ErrPassword, s.note(ctx, SessionRefused, &p, source, string(oauth.FailureCredentialsWrong)))
}

// compare holds the password against the person's hash, or nobody's, when its turn comes.
func (s *SignIn) compare(ctx context.Context, p *domain.Person, password oauth.Secret, trusted bool) (right bool, err error) {
	verifier, err := secret.Parse(p.Password)
	if err != nil || !verifier.Imported() {
		if verifier, err = secret.Parse(nobodysHash); err != nil {
			return false, err
		}
	}
	if !trusted {
		select {
		case s.strangers <- struct{}{}:
			defer func() { <-s.strangers }()
		default:
			return false, tooMany(0)
		}
	}
	err = s.Gate.Do(ctx, func() { right = verifier.Verify(nil, "", "", "", password) })
	if errors.Is(err, secret.ErrBusy) {
		err = tooMany(0)
	}
	return right, err
}

// guesses are what one attempt counts as.
type guesses struct {
	name, source ratelimit.Guess
	trusted      bool // the source signed in under the name within 30 days
}

func (g guesses) withdraw() {
	g.name.Withdraw()
	g.source.Withdraw()
}

func guessed(name string) ratelimit.Client { return ratelimit.Client{ID: name} }

// guess admits an attempt and counts it, or says how long to wait.
func (s *SignIn) guess(name string, known bool, from ratelimit.Source) (g guesses, err error) {
	g.trusted = s.names.Trusted(guessed(name), from)
	byName, wait, ok := s.names.Begin(guessed(name), known, from)
	if !ok {
		return g, tooMany(wait)
	}
	g.name = byName
	if g.trusted {
		return g, nil
	}
	if g.source, err = s.guessFrom(from); err != nil {
		g.name.Withdraw()
	}
	return g, err
}

// guessFrom admits one more attempt of a source, whatever it is at.
func (s *SignIn) guessFrom(from ratelimit.Source) (ratelimit.Guess, error) {
	guess, wait, ok := s.sources.Begin(ratelimit.Client{ID: from.String()}, true, from)
	if !ok {
		return guess, tooMany(wait)
	}
	return guess, nil
}
