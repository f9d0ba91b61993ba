package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/inprocess"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Why a token that verified administers nothing. For the log.
var (
	errNoManagement = errors.New("no issuer is the management issuer")
	errNotTheClient = errors.New("the token is about somebody else than its client")
	errNotNow       = errors.New("the client is not there, disabled, past its end, without the audience, or its tokens were killed")
)

// management verifies the tokens of the management issuer (DESIGN §10): by its keys, for the
// fixed audience, and of a client that is there now.
type management struct {
	snapshot *snapshot.Snapshot
	cache    *resourceserver.Cache
	budget   *resourceserver.Budget

	making   sync.Mutex
	of       *snapshot.Issuer // whom verifier believes
	verifier *resourceserver.Verifier
}

func newManagement(s *snapshot.Snapshot) *management {
	const remembered = 1024 // tokens
	return &management{snapshot: s, cache: resourceserver.NewCache(remembered), budget: resourceserver.NewBudget(0)}
}

// tokens is signin.Config.Tokens.
func (m *management) tokens(r *http.Request, source netip.Addr) (issuer string, client domain.Client, scope oauth.Scope, err error) {
	if err := m.snapshot.Fresh(); err != nil {
		return "", client, nil, err
	}
	token, err := resourceserver.Bearer(r)
	if err != nil {
		return "", client, nil, err
	}
	of, verifier, err := m.current()
	if err != nil {
		return "", client, nil, err
	}
	var from [8]byte
	binary.BigEndian.PutUint64(from[:], uint64(ratelimit.SourceOf(source)))
	claims, err := verifier.Verify(r.Context(), string(from[:]), token)
	if err != nil {
		return "", client, nil, err
	}
	if claims.Subject != claims.ClientID { // RFC 9068 §2.2
		return "", client, nil, errNotTheClient
	}
	held, err := m.snapshot.Client(r.Context(), of.Name, claims.ClientID)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return "", client, nil, errNotNow
	case err != nil:
		return "", client, nil, fmt.Errorf("%w: %w", domain.ErrStale, err)
	case !held.Alive(m.snapshot.Now()), !slices.Contains(held.Audiences, domain.AdminAudience), !ofEpoch(claims.ID, held.Epoch):
		return "", client, nil, errNotNow
	}
	return of.Name, held.Client, claims.Scope(), nil
}

// ofEpoch reports whether a `jti` is `<epoch>.<event id>` of the epoch (DESIGN §7).
func ofEpoch(jti string, epoch int64) bool {
	number, event, _ := strings.Cut(jti, ".")
	_, err := domain.ParseEventID(event)
	return err == nil && number == strconv.FormatInt(epoch, 10)
}

// current is the management issuer and what verifies its tokens.
func (m *management) current() (*snapshot.Issuer, *resourceserver.Verifier, error) {
	list := m.snapshot.View().Issuers()
	at := slices.IndexFunc(list, func(i *snapshot.Issuer) bool { return i.Management })
	if at < 0 {
		return nil, nil, errNoManagement
	}
	m.making.Lock()
	defer m.making.Unlock()
	if m.of == list[at] {
		return m.of, m.verifier, nil
	}
	v, err := resourceserver.New(resourceserver.Config{
		Issuers: []resourceserver.Issuer{{URL: list[at].URL, Audience: domain.AdminAudience, Type: list[at].Dialect.Server.Typ, Keys: list[at], InProcess: inprocess.Permit()}},
		Cache:   m.cache, Budget: m.budget, Now: m.snapshot.Now,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("management issuer: %w", err)
	}
	m.of, m.verifier = list[at], v
	return m.of, m.verifier, nil
}
