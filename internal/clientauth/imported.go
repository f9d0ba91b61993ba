package clientauth

import (
	"context"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/oauth"
)

// imported authenticates in an issuer whose secrets may be weak. The steps are
// those of the package comment.
func (a *Authenticator) imported(in *Request, at *attempt, gone <-chan struct{}) (Result, error) {
	m, ok := a.keyed(in, at, 0)
	if !ok && at.known != "" && a.Guesses.Trusted(at.counted(in), ratelimit.SourceOf(in.Source)) {
		m, ok = a.remembered(in, at)
	}
	if ok {
		return a.succeed(in, m), nil
	}
	v := a.guess(*in, *at, gone)
	switch v.failure {
	case "":
		return a.succeed(in, v.match), nil
	case oauth.FailureTooManyAttempts:
		return at.refused(), in.tooMany(v.wait)
	default:
		return at.refused(), in.wrong()
	}
}

// counted is whose guesses these are: those of the client, if there is one.
func (at *attempt) counted(in *Request) ratelimit.Client {
	if at.known != "" {
		return ratelimit.Client{Issuer: in.Issuer, ID: at.known}
	}
	return ratelimit.Client{Issuer: in.Issuer, ID: in.Credentials.ID}
}

// remembered holds the attempt against what was right before.
func (a *Authenticator) remembered(in *Request, at *attempt) (match, bool) {
	return at.slow(func(m match) bool {
		return a.memory.has(a.memory.of(in.Issuer, m.client.ID, m.secret.ID, m.secret.Hash, m.plain))
	})
}

// slow returns the first imported secret for which right says so.
func (at *attempt) slow(right func(match) bool) (match, bool) {
	for i := range at.tries[:at.n] {
		t := &at.tries[i]
		for j := range t.live() {
			m := match{client: t.client, secret: &t.client.Secrets[j], plain: t.secret}
			if m.secret.Verifier.Imported() && m.secret.Live(at.now) && right(m) {
				return m, true
			}
		}
	}
	return match{}, false
}

// heavy reports whether one of the secrets in question takes much memory to verify.
func (at *attempt) heavy() bool {
	_, heavy := at.slow(func(m match) bool { return m.secret.Verifier.Heavy() })
	return heavy
}

// guess judges the attempt together with all equal ones. gone is closed when
// the client no longer waits. It has copies, so that what is cheap needs no heap.
func (a *Authenticator) guess(in Request, at attempt, gone <-chan struct{}) verdict {
	d := a.memory.digest('g', in.Credentials.Secret, in.Issuer, in.Tenant, in.Credentials.ID,
		ratelimit.SourceOf(in.Source).String(), at.version())
	fl, first := a.flights.board(d)
	switch {
	case fl == nil:
		return verdict{failure: oauth.FailureTooManyAttempts}
	case first:
		// Nothing here hears of the client hanging up: the guess is counted,
		// and its flight lasts as long as that of any other.
		defer a.flights.land(d, fl)
		fl.verdict = a.judge(&in, &at)
		return fl.verdict
	}
	defer a.flights.leave()
	select {
	case <-fl.done:
		return fl.verdict
	case <-gone:
		return verdict{failure: oauth.FailureCredentialsWrong}
	}
}

// version tells apart attempts at different rows of a client, and in different readings.
func (at *attempt) version() string {
	var v []byte
	for _, t := range at.tries[:at.n] {
		if t.client != nil {
			v = strconv.AppendInt(v, t.client.Version, 10)
		}
		v = append(v, '.')
	}
	return string(v)
}

// judge counts the guess, finds it a seat, and returns when it is to be
// answered.
func (a *Authenticator) judge(in *Request, at *attempt) verdict {
	source := ratelimit.SourceOf(in.Source)
	client := at.counted(in)
	guess, wait, ok := a.Guesses.Begin(client, at.known != "", source)
	if !ok {
		return verdict{failure: oauth.FailureTooManyAttempts, wait: wait}
	}
	trusted := a.Guesses.Trusted(client, source)
	if !a.seats.take(source, trusted) {
		guess.Withdraw()
		return verdict{failure: oauth.FailureTooManyAttempts}
	}
	defer a.seats.leave(source)
	m, answer, err := a.queue(in, at, trusted)
	switch {
	case err != nil: // secret.ErrBusy
		guess.Withdraw()
		return verdict{failure: oauth.FailureTooManyAttempts}
	case m.client != nil:
		guess.Withdraw()
		return verdict{match: m}
	}
	time.Sleep(time.Until(answer))
	return verdict{failure: oauth.FailureCredentialsWrong}
}

// queue evaluates the attempt when its turn comes, and returns when it is to be
// answered should it be wrong.
func (a *Authenticator) queue(in *Request, at *attempt, trusted bool) (m match, answer time.Time, err error) {
	queued := time.Now()
	leave := a.doors.enter(trusted)
	defer leave()
	pass := a.Gate.Do
	if at.heavy() {
		pass = a.Gate.DoAlone
	}
	err = pass(context.Background(), func() {
		turn := time.Now()
		m, _ = a.evaluate(in, at)
		a.failing.raise(time.Since(turn))
		// Only the wait is added to the time that failures take: neither the
		// hash shows, nor what went before the wait, looking up a client
		// that this node does not know above all.
		answer = at.begun.Add(turn.Sub(queued) + a.failing.time())
	})
	return m, answer, err
}

// evaluate compares with the memory, then with the slow hashes themselves.
func (a *Authenticator) evaluate(in *Request, at *attempt) (match, bool) {
	if m, ok := a.remembered(in, at); ok {
		return m, true
	}
	m, ok := at.slow(func(m match) bool {
		return a.verify(m.secret.Verifier, in.Issuer, m.client.ID, m.secret.ID, m.plain)
	})
	if ok {
		a.memory.add(a.memory.of(in.Issuer, m.client.ID, m.secret.ID, m.secret.Hash, m.plain))
	}
	return m, ok
}
