package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictjson"
)

// Bounds of a product's own events (ARB-18).
const (
	maxEvents     = 100
	maxEventsBody = 64 << 10 // bytes, of all together
	maxResource   = 256      // bytes
)

// EventRefused is why events are refused that are none.
const EventRefused Reason = "event_refused"

// ProductEvent is what a protected product tells of itself. Who told it, when, and whose it
// is, is not for it to say: what it says of that stands in Details.
type ProductEvent struct {
	Name     string // of ours none is called so
	Resource string
	Outcome  domain.Outcome
	Details  json.RawMessage // all else that it says, as one JSON object without line breaks; nil: nothing
}

// EventError is what is wrong with an event, and what would be right.
type EventError struct {
	Item int // from one; zero: of the array
	Text string
}

// Error says so.
func (e *EventError) Error() string {
	if e.Item > 0 {
		return fmt.Sprintf("event %d: %s", e.Item, e.Text)
	}
	return e.Text
}

// addsEvents reports whether the call adds events to the audit log that the API is.
func (c *call) addsEvents() bool {
	return c.API.AuditLog != nil && c.Route.Path == domain.AuditLogEvents
}

// eventActions reads the events in the body, and adds to the actions that are needed one for
// each of their names.
func (c *call) eventActions(needed []string) ([]string, error) {
	if form, err := bodyType(c.r.Header); err != nil || form {
		return nil, &Refusal{Reason: BodyType, Err: err}
	}
	body, err := c.readWhole()
	if err != nil {
		return nil, err
	}
	events, err := readEvents(body)
	if err != nil {
		return nil, &Refusal{Reason: EventRefused, Err: err}
	}
	c.Events, needed = &events, slices.Clone(needed)
	for i := range events {
		needed = append(needed, domain.EventActionPrefix+events[i].Name)
	}
	return needed, nil
}

// readEvents reads one event, or an array of them.
func readEvents(body []byte) ([]ProductEvent, error) {
	items := []json.RawMessage{body}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		if err := json.Unmarshal(body, &items); err != nil || len(items) == 0 || len(items) > maxEvents {
			return nil, &EventError{Text: fmt.Sprintf("send one event, or 1 to %d in one array", maxEvents)}
		}
	}
	events := make([]ProductEvent, len(items))
	for i := range items {
		if wrong := events[i].read(items[i]); wrong != "" {
			return nil, &EventError{Item: i + 1, Text: wrong}
		}
	}
	return events, nil
}

// read returns what is wrong.
func (e *ProductEvent) read(item []byte) (wrong string) {
	members, err := strictjson.Object(item)
	if err != nil {
		return "it is no JSON object in which each name stands once, in UTF-8"
	}
	var rest []strictjson.RawMember
	e.Outcome = domain.Success
	for i := range members {
		m := &members[i]
		text, notText := m.Text()
		switch m.Name {
		case "action":
			e.Name = text
		case "resource":
			if e.Resource = text; notText != nil || len(text) > maxResource || strings.ContainsFunc(text, control) {
				return fmt.Sprintf("resource is a text of at most %d bytes without control characters", maxResource)
			}
		case "outcome":
			if e.Outcome = domain.Outcome(text); e.Outcome != domain.Success && e.Outcome != domain.Refused {
				return "outcome is success or refused; left out it is success"
			}
		default:
			rest = append(rest, *m)
		}
	}
	if !domain.ValidEventName(e.Name) {
		return "action is the name of the event: 1 to 64 of a-z, 0-9 and _, the first a letter"
	}
	return e.keep(rest)
}

// control reports whether a character could be taken for the end of a line, or hides others
// from who reads (D-108).
func control(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// keep keeps what else was said, word for word but for space between: those of a member
// `details` beside the others.
func (e *ProductEvent) keep(rest []strictjson.RawMember) (wrong string) {
	if len(rest) == 0 {
		return ""
	}
	var all []strictjson.RawMember
	for i := range rest {
		if rest[i].Name != "details" {
			all = append(all, rest[i])
			continue
		}
		inner, err := strictjson.Object(rest[i].Value)
		if err != nil {
			return "details is a JSON object"
		}
		all = append(all, inner...)
	}
	b := bytes.NewBufferString("{")
	for i := range all {
		if slices.ContainsFunc(all[:i], func(o strictjson.RawMember) bool { return o.Name == all[i].Name }) {
			return "what stands in details stands beside it too; keep one"
		}
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(all[i].Name) // a string
		b.Write(append(name, ':'))
		_ = json.Compact(b, all[i].Value) // Object has read it
	}
	b.WriteByte('}')
	if e.Details = escaped(b.String()); len(e.Details) > domain.MaxDetails {
		return fmt.Sprintf("its details are %d bytes; at most %d are kept", len(e.Details), domain.MaxDetails)
	}
	return ""
}

// escaped is the JSON with escapes for what JSON lets stand in a text and some reader takes
// for the end of a line.
func escaped(text string) []byte {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if control(r) {
			b = fmt.Appendf(b, "\\u%04x", r)
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}
