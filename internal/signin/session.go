package signin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// Session is a person who signed in.
type Session struct {
	Person   domain.Person // as it is now
	SignedIn time.Time     // when they proved who they are; zero: the OpenID provider does not say
	Ends     time.Time     // at the latest
}

// FreshUntil is until when the person may do what needs a fresh sign-in.
func (s *Session) FreshUntil() time.Time {
	if s.SignedIn.IsZero() {
		return time.Time{}
	}
	return s.SignedIn.Add(Fresh)
}

// What a session holds, for scs. Times are seconds of the Unix epoch.
const (
	heldPerson = "person"
	heldRole   = "role"
	heldEpoch  = "epoch"
	heldSigned = "signed"
	heldEnds   = "ends"
)

// tokenChars is the length of a session's token: 256 bits in base64url.
const tokenChars = 43

// sessions begins, finds and ends sessions.
type sessions struct {
	scs  *scs.SessionManager
	kept *kept
}

func newSessions(c Config) *sessions {
	k := &kept{records: c.Records, now: c.Now, idle: c.Idle, absolute: c.Absolute}
	// Not scs.New: its memory store would run a goroutine for nothing. Its idle timeout
	// stays zero: it would write the whole session again at every request, also one that
	// was signed out meanwhile.
	return &sessions{
		scs:  &scs.SessionManager{Store: k, Codec: scs.GobCodec{}, Lifetime: c.Absolute, HashTokenInStore: true},
		kept: k,
	}
}

// begin makes a session, whatever the browser had, and ends that one (D-98).
func (s *SignIn) begin(v Visit, p *domain.Person, signedIn time.Time) (token string, session *Session, err error) {
	ctx := v.Request.Context()
	if err := s.end(v); err != nil {
		return "", nil, err
	}
	m := s.sessions.scs
	held, err := m.Load(ctx, "")
	if err != nil {
		return "", nil, fmt.Errorf("begin session: %w", err)
	}
	session = &Session{Person: *p, SignedIn: signedIn, Ends: s.Now().Add(s.Absolute)}
	m.Put(held, heldPerson, p.ID)
	m.Put(held, heldRole, string(p.Role))
	m.Put(held, heldEpoch, p.Epoch)
	m.Put(held, heldEnds, session.Ends.Unix())
	if !signedIn.IsZero() {
		m.Put(held, heldSigned, signedIn.Unix())
	}
	if token, _, err = m.Commit(held); err != nil {
		return "", nil, fmt.Errorf("begin session: %w", err)
	}
	return token, session, s.note(ctx, SessionBegan, p, v.Source, "")
}

// find returns the session of the token. It is ErrEnded where there is none, or the person is
// no longer who signed in.
func (s *SignIn) find(ctx context.Context, token string) (*Session, error) {
	if len(token) != tokenChars {
		return nil, ErrEnded
	}
	m := s.sessions.scs
	held, err := m.Load(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	id := m.GetString(held, heldPerson)
	if id == "" {
		return nil, ErrEnded
	}
	p, err := s.Store.Read().People.Get(ctx, id)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil, ErrEnded
	case err != nil:
		return nil, fmt.Errorf("read session: %w", err)
	case p.Status != domain.Enabled, p.Epoch != m.GetInt64(held, heldEpoch), string(p.Role) != m.GetString(held, heldRole):
		return nil, ErrEnded
	}
	session := &Session{Person: p, Ends: time.Unix(m.GetInt64(held, heldEnds), 0)}
	if at := m.GetInt64(held, heldSigned); at != 0 {
		session.SignedIn = time.Unix(at, 0)
	}
	return session, nil
}

// end ends the session of the browser, if it has one.
func (s *SignIn) end(v Visit) error {
	token, ok, err := cookie(v.Request, sessionCookie)
	if err != nil || !ok || len(token) != tokenChars {
		return err
	}
	ctx := v.Request.Context()
	m := s.sessions.scs
	held, err := m.Load(ctx, token)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	id := m.GetString(held, heldPerson)
	if id == "" {
		return nil
	}
	if err := m.Destroy(held); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	p, err := s.Store.Read().People.Get(ctx, id)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("end session: %w", err)
	}
	return s.note(ctx, SessionEnded, &p, v.Source, "")
}

// kept keeps sessions as records, for scs. A session is written once; when it was last used
// stands in a record beside it, so that a request that comes to its end after the session was
// signed out cannot bring it back.
type kept struct {
	records        domain.Records
	now            func() time.Time
	idle, absolute time.Duration
}

// The spaces of records.
const (
	sessionSpace = "session"
	usedSpace    = "session used"
)

// usedStep is how exactly it is known when a session was last used: it saves a write for
// every request.
const usedStep = time.Minute

var _ scs.CtxStore = (*kept)(nil)

// FindCtx returns a session that has neither expired nor been idle for too long, and notes
// that it is used.
func (k *kept) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	now := k.now()
	held, err := k.records.Record(ctx, sessionSpace, key, now)
	var used []byte
	if err == nil {
		used, err = k.records.Record(ctx, usedSpace, key, now)
	}
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	if at, err := strconv.ParseInt(string(used), 10, 64); err != nil || now.Sub(time.Unix(at, 0)) >= usedStep {
		return held, true, k.use(ctx, key, now)
	}
	return held, true, nil
}

func (k *kept) use(ctx context.Context, key string, now time.Time) error {
	return k.records.SetRecord(ctx, usedSpace, key, strconv.AppendInt(nil, now.Unix(), 10), now.Add(k.idle))
}

// CommitCtx writes a new session. When it expires is told by our clock, not by that of scs.
func (k *kept) CommitCtx(ctx context.Context, key string, held []byte, _ time.Time) error {
	now := k.now()
	if err := k.use(ctx, key, now); err != nil {
		return err
	}
	return k.records.AddRecord(ctx, sessionSpace, key, held, now, now.Add(k.absolute))
}

// DeleteCtx removes a session.
func (k *kept) DeleteCtx(ctx context.Context, key string) error {
	return errors.Join(k.records.DropRecord(ctx, sessionSpace, key), k.records.DropRecord(ctx, usedSpace, key))
}

// Find, Commit and Delete are what scs asks of a store without a context.
func (k *kept) Find(key string) ([]byte, bool, error) { return k.FindCtx(context.Background(), key) }

// Commit is described at Find.
func (k *kept) Commit(key string, held []byte, expires time.Time) error {
	return k.CommitCtx(context.Background(), key, held, expires)
}

// Delete is described at Find.
func (k *kept) Delete(key string) error { return k.DeleteCtx(context.Background(), key) }
