package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

const (
	onceSpace = "idempotency"
	onceKept  = 24 * time.Hour
	// onceRunning is how long a request that never came to its end, because its process
	// was killed, is taken to be still running.
	onceRunning = 15 * time.Minute
	maxOnceKey  = 255
)

// creation is an operation that takes an Idempotency-Key.
type creation struct {
	id      string   // of the operation
	secrets []string // members of its answer that are shown once (COM-05, D-104)
}

// given is what is kept of a request with an Idempotency-Key.
type given struct {
	Request    string            `json:"request"`           // its X-Request-Id
	Parameters string            `json:"parameters"`        // keyed hash
	Until      time.Time         `json:"until"`             // without an answer by then it has none
	Changed    bool              `json:"changed,omitempty"` // it has changed something
	Status     int               `json:"status,omitempty"`  // of its answer; 0: there is none
	Header     map[string]string `json:"header,omitempty"`
	Body       []byte            `json:"body,omitempty"` // without secrets
}

// attempt is one carrying out of a request with an Idempotency-Key. Its record says that it has
// begun, and from its first change on, written by that very transaction, that something was
// changed: whatever becomes of us, the key is free again only where nothing was.
type attempt struct {
	at             string // key of its record
	given          given
	begun, changed []byte // what its record holds
}

func newAttempt(at, request, parameters string, until time.Time) (attempt, error) {
	t := attempt{at: at, given: given{Request: request, Parameters: parameters, Until: until}}
	var err error
	if t.begun, err = json.Marshal(t.given); err != nil {
		return t, err
	}
	t.given.Changed = true
	t.changed, err = json.Marshal(t.given)
	return t, err
}

// receipt puts value in the place of before.
func (t *attempt) receipt(before, value []byte, expires time.Time) domain.Receipt {
	return domain.Receipt{Space: onceSpace, Key: t.at, Before: before, Value: value, Expires: expires}
}

// once answers a request with an Idempotency-Key: the first with this key is carried out,
// and those after it get its answer again.
func (a *api) once(w http.ResponseWriter, req *http.Request, c creation, header []string, body []byte) error {
	key, err := onceKey(header)
	if err != nil {
		return err
	}
	ctx := req.Context()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", caller(ctx).Actor, c.id, key))
	at := hex.EncodeToString(sum[:])
	now := a.registry.Now()
	t, err := newAttempt(at, askedOf(ctx).exchange.ID, a.parameters(at, req, body), now.Add(onceRunning))
	if err != nil {
		return err
	}
	switch err := a.Records.AddRecord(ctx, onceSpace, at, t.begun, now, t.given.Until); {
	case errors.Is(err, domain.ErrExists):
		return a.again(ctx, w, at, t.given.Parameters)
	case err != nil:
		return fmt.Errorf("keep the Idempotency-Key: %w", err)
	}
	a.carryOut(w, req, c, t)
	return nil
}

// carryOut answers the first request with a key.
func (a *api) carryOut(w http.ResponseWriter, req *http.Request, c creation, t attempt) {
	ctx := req.Context()
	kept := context.WithoutCancel(ctx)
	answer := &recorder{header: w.Header(), status: http.StatusOK}
	panics := true
	defer func() {
		if panics {
			_ = a.noAnswer(kept, t)
		}
	}()
	leaves := t.receipt(t.begun, t.changed, a.registry.Now().Add(onceKept))
	a.mux.ServeHTTP(answer, req.WithContext(domain.WithReceipt(ctx, leaves)))
	panics = false
	if err := a.keep(kept, t, c, answer); err != nil {
		askedOf(ctx).exchange.Err = err // what was made is there, and its secret must reach whoever made it
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // whoever asked is gone
}

// onceKey reads the header: a string (RFC 9651 §3.3.3), or its text without quotes.
func onceKey(header []string) (string, error) {
	key := strings.TrimSpace(header[0])
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		key, ok = strings.CutSuffix(inner, `"`)
		if !ok {
			key = ""
		}
	}
	odd := func(r rune) bool { return r <= 0x20 || r >= 0x7f || r == '"' || r == '\\' }
	if len(header) != 1 || key == "" || len(key) > maxOnceKey || strings.ContainsFunc(key, odd) {
		return "", fail(http.StatusBadRequest, malformed, "Idempotency-Key is 1 to 255 printable ASCII characters without spaces, quotes or backslashes, once; a UUID is a good one")
	}
	return key, nil
}

// parameters is a hash of everything that the request asks for, and of the role and reach that
// it is asked in: who has others now gets no answer of before (D-102). It is keyed, as what is
// asked for may be a secret that somebody chose.
func (a *api) parameters(at string, req *http.Request, body []byte) string {
	sum, c := sha256.New(), caller(req.Context())
	for _, part := range [][]byte{[]byte(req.URL.EscapedPath()), []byte(req.URL.RawQuery), body, fmt.Appendf(nil, "%q %+v", c.Role, c.Reach)} {
		_, _ = fmt.Fprintf(sum, "%d:", len(part)) // a hash takes all
		_, _ = sum.Write(part)
	}
	return a.registry.Vault.Peppers.Hash(onceSpace, at, "1", oauth.Secret(hex.EncodeToString(sum.Sum(nil))))
}

// again answers a request whose key came before.
func (a *api) again(ctx context.Context, w http.ResponseWriter, at, parameters string) error {
	value, err := a.Records.Record(ctx, onceSpace, at, a.registry.Now())
	if errors.Is(err, domain.ErrNotFound) { // it ended in this moment, and failed
		return stillRunning()
	}
	var before given
	if err == nil {
		err = json.Unmarshal(value, &before)
	}
	switch {
	case err != nil:
		return fmt.Errorf("read what the Idempotency-Key was answered: %w", err)
	case before.Parameters != parameters:
		return fail(http.StatusUnprocessableEntity, otherParameters, "this Idempotency-Key came with other parameters before; a new request takes a new key")
	case before.Status == 0 && a.registry.Now().Before(before.Until):
		return stillRunning()
	case before.Status == 0:
		return fail(http.StatusConflict, answerLost, "the request with this Idempotency-Key, whose X-Request-Id was "+before.Request+
			", changed something, and its answer is lost; look whether what it makes is there; a new key makes another")
	}
	for name, text := range before.Header {
		w.Header().Set(name, text)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(before.Status)
	_, _ = w.Write(before.Body) // whoever asked is gone
	return nil
}

func stillRunning() error {
	return withHeader(fail(http.StatusConflict, running, "a request with this Idempotency-Key is still running; ask again"), "Retry-After", "1")
}

// keep puts away the answer for 24 hours. What failed here, or is about who asks and when
// rather than what for, is tried anew.
func (a *api) keep(ctx context.Context, t attempt, c creation, answer *recorder) error {
	anew := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests}
	if answer.status >= http.StatusInternalServerError || slices.Contains(anew, answer.status) {
		return a.noAnswer(ctx, t)
	}
	body, err := withoutSecrets(answer.body.Bytes(), c.secrets)
	if err != nil {
		return err
	}
	g := given{Request: t.given.Request, Parameters: t.given.Parameters, Status: answer.status, Header: map[string]string{}, Body: body}
	for _, name := range []string{"Content-Type", "ETag", "Location"} {
		if v := answer.header.Get(name); v != "" {
			g.Header[name] = v
		}
	}
	record, err := json.Marshal(g)
	if err != nil {
		return err
	}
	expires := a.registry.Now().Add(onceKept)
	err = a.Records.PutReceipt(ctx, t.receipt(t.changed, record, expires))
	if errors.Is(err, domain.ErrTaken) { // nothing was changed
		err = a.Records.PutReceipt(ctx, t.receipt(t.begun, record, expires))
	}
	if err != nil {
		return fmt.Errorf("keep the answer to the Idempotency-Key: %w", err)
	}
	return nil
}

// noAnswer ends an attempt that has no answer to be given again: where it changed nothing its
// key is free, and where it did the key says so.
func (a *api) noAnswer(ctx context.Context, t attempt) error {
	now := a.registry.Now()
	if err := a.Records.PutReceipt(ctx, t.receipt(t.begun, t.begun, now)); !errors.Is(err, domain.ErrTaken) {
		return err
	}
	t.given.Until = now
	lost, err := json.Marshal(t.given)
	if err != nil {
		return err
	}
	return a.Records.PutReceipt(ctx, t.receipt(t.changed, lost, now.Add(onceKept)))
}

// withoutSecrets takes members out of a JSON object, and says so in it.
func withoutSecrets(body []byte, secrets []string) ([]byte, error) {
	var members map[string]json.RawMessage
	if len(secrets) == 0 || len(body) == 0 {
		return body, nil
	}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("keep an answer that is no JSON object: %w", err)
	}
	shown := false
	for _, name := range secrets {
		if _, there := members[name]; there {
			delete(members, name)
			shown = true
		}
	}
	if !shown {
		return body, nil
	}
	members["secret_shown"] = json.RawMessage(strconv.FormatBool(true))
	return json.Marshal(members)
}

// recorder holds an answer back until it is put away. Its headers are those of the answer
// itself.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header is http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader is http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if !r.wrote && status >= http.StatusOK {
		r.status, r.wrote = status, true
	}
}

// Write is http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.body.Write(b)
}
