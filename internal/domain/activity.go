package domain

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// EventID identifies one request in answers (`X-Request-Id`), logs, activity and
// the `jti` of a token that it issued. It is a UUID of version 7 (RFC 9562
// §5.7): ids made later are greater, by the millisecond.
type EventID [16]byte

// NewEventID makes one for the time given.
func NewEventID(now time.Time) EventID {
	var id EventID
	_, _ = rand.Read(id[6:]) // never fails (crypto/rand)
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli())) //nolint:gosec // after 1970
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ErrEventID is returned for text that is no event id.
var ErrEventID = errors.New("not an event id: 32 hexadecimal digits in groups of 8-4-4-4-12")

// ParseEventID reads what String wrote.
func ParseEventID(s string) (EventID, error) {
	var id EventID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return EventID{}, ErrEventID
	}
	if _, err := hex.Decode(id[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])); err != nil {
		return EventID{}, ErrEventID
	}
	return id, nil
}

// Append appends the text form of the id to dst.
func (id EventID) Append(dst []byte) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// String is the text form of a UUID.
func (id EventID) String() string { return string(id.Append(make([]byte, 0, 36))) }

// Time is when the id was made, to the millisecond, in UTC.
func (id EventID) Time() time.Time {
	var ms [8]byte
	copy(ms[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC() //nolint:gosec // 48 bits
}

// Action of an activity entry.
type Action string

// The actions.
const (
	TokenIssued  Action = "token.issue"
	TokenRefused Action = "token.refuse"
	CallRefused  Action = "call.refuse"  // by the gateway
	ActivityGap  Action = "activity.gap" // entries before this one may have been lost by a kill
	ActivityOff  Action = "activity.off" // nothing is kept from here on until the next start

	ActivityDropped Action = "activity.drop" // retention dropped entries
)

// RetentionNode is the node in whose name retention tells what it dropped; no other may be
// called so. What it told is never dropped itself.
const RetentionNode = "retention"

// Entry is one thing that happened and changed nothing: activity.
type Entry struct {
	ID          EventID
	Action      Action
	Issuer      string // by name
	Client      string // id; empty where the client is not known
	SecretID    string // the secret that was used, where one was
	Scope       string // granted
	Resource    string // what it was about; of a call: API, method and path of the rule, as in `reports GET /reports/{id}`
	Tenant      string // id of the client's tenant; empty where there is none, or it is not known
	Actor       string // who did it, where that is not the client: a person, an API key
	Details     string // of a product's event: a JSON object, as it came
	Source      string // address of the peer
	Reason      string // why it was refused: an oauth.Failure
	Correlation string // the caller's own request id
	Count       uint32 // of like events that this entry stands for; 0 is 1
}

// Outcome is how something ended.
type Outcome string

// The outcomes. What has a reason was refused.
const (
	Success Outcome = "success"
	Refused Outcome = "refused"
)

// Query selects activity, or of a Trail activity and changes. A zero field selects all.
type Query struct {
	From, To time.Time // half-open
	Action   Action
	Actor    string // who did it: Actor of a change or an entry; where an entry names none, its client
	Issuer   string
	Client   string
	Tenant   string
	Resource string // Resource of an entry; of a change its kind, or `kind/key`
	Outcome  Outcome
	Within   *Reach  // nil: everywhere; else what Seen tells
	Before   EventID // of Search: entries with smaller ids
	Cursor   string  // of Events: where the page before ended
	Limit    int     // zero: 50
}

// Seen reports whether what happened to that tenant at that issuer lies within reach: it is
// of a tenant that is, and at an issuer that is, or at none and of a tenant.
func (r Reach) Seen(tenant, issuer string) bool {
	return r.Tenant(tenant) && (r.Issuer(issuer) || issuer == "" && tenant != "")
}

// Activity keeps entries in batches, each chained to the one before.
type Activity interface {
	Append(ctx context.Context, node string, batch []Entry) error
	// Search returns entries newest first.
	Search(ctx context.Context, q Query) ([]Entry, error)
}
