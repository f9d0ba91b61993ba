package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/oauth/jwt"
)

// vectorKey is the key of RFC 8037 §A.1.
const vectorKey = `{"kty":"OKP","crv":"Ed25519","kid":"c1","alg":"EdDSA","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

func exampleCheckpoint() audit.Checkpoint {
	return audit.Checkpoint{
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Node: "node-a", Incarnation: "ERA", Tokens: audit.Group,
		Changes:  audit.Point{Count: 3, Hash: []byte{0xff, 0xfe, 0xfd}},
		Activity: []audit.Point{{Node: "node-a", Count: 2, Entries: 300, Hash: []byte{1, 2, 3, 4}}},
	}
}

// The form is fixed: a checkpoint that one version wrote is read by the next, and by others.
// The text comes from a program of its own (Python's cryptography): the header
// {"alg":"EdDSA","typ":"postern-checkpoint+json","kid":"c1"} and the payload below, in
// base64url, and their Ed25519 signature.
const (
	vectorPayload = `{"time":"2026-11-23T12:00:00Z","node":"node-a","incarnation":"ERA","tokens":"group","part":1,"parts":1,"changes":{"count":3,"hash":"__79"},"activity":[{"node":"node-a","count":2,"entries":300,"hash":"AQIDBA"}]}`
	vector        = "eyJhbGciOiJFZERTQSIsInR5cCI6InBvc3Rlcm4tY2hlY2twb2ludCtqc29uIiwia2lkIjoiYzEifQ.eyJ0aW1lIjoiMjAyNi0xMS0yM1QxMjowMDowMFoiLCJub2RlIjoibm9kZS1hIiwiaW5jYXJuYXRpb24iOiJFUkEiLCJ0b2tlbnMiOiJncm91cCIsInBhcnQiOjEsInBhcnRzIjoxLCJjaGFuZ2VzIjp7ImNvdW50IjozLCJoYXNoIjoiX183OSJ9LCJhY3Rpdml0eSI6W3sibm9kZSI6Im5vZGUtYSIsImNvdW50IjoyLCJlbnRyaWVzIjozMDAsImhhc2giOiJBUUlEQkEifV19.s9esdasfs7pkegAS1DXdAYp6KuVWPtYCWZ-hCg3KtgVuSBEnHWD9gwIw6wOBWvWG6c8UzafdgmFQDJfT0nIDBA"
)

func TestCheckpointForm(t *testing.T) {
	s, set := signer(t)
	list, err := exampleCheckpoint().Signed(s)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "text", list, []string{vector})
	jws, err := jose.ParseSignedCompact(vector, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal([]byte(vectorKey), &key); err != nil {
		t.Fatal(err)
	}
	payload, err := jws.Verify(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "payload", string(payload), vectorPayload)
	want(t, "kid", jws.Signatures[0].Protected.KeyID, "c1")
	want(t, "typ", jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType], any(audit.CheckpointType))
	read, err := audit.ReadCheckpoint(vector, set)
	if err != nil {
		t.Fatal(err)
	}
	expected := exampleCheckpoint()
	expected.Part, expected.Parts = 1, 1
	want(t, "read", read, expected)
}

// Many nodes make several statements, each of them worth something alone.
func TestCheckpointParts(t *testing.T) {
	s, set := signer(t)
	c := exampleCheckpoint()
	c.Activity = nil
	for i := range 45 {
		c.Activity = append(c.Activity, audit.Point{Node: strings.Repeat("n", 60) + fmt.Sprint(1000+i), Count: 1 << 40, Entries: 1 << 48, Hash: make([]byte, 32)})
	}
	list, err := c.Signed(s)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "parts", len(list), 3)
	var all []audit.Point
	for i, text := range list {
		read, err := audit.ReadCheckpoint(text, set)
		if err != nil || read.Part != i+1 || read.Parts != 3 || read.Changes.Count != 3 {
			t.Errorf("part %d: %+v, %v", i, read, err)
		}
		all = append(all, read.Activity...)
	}
	want(t, "nodes", all, c.Activity)
}

// D-106: nobody but the holder of the key makes a checkpoint: no other key, no token of the
// same key, no other bytes.
func TestForgedCheckpoints(t *testing.T) {
	_, set := signer(t)
	key, err := jwt.ParsePrivateJWK([]byte(vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	signed := func(typ, payload string) string {
		s, err := jwt.NewSigner(key, typ)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Sign(nil, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if _, err := audit.ReadCheckpoint(signed(audit.CheckpointType, vectorPayload), set); err != nil {
		t.Fatal(err)
	}
	other, err := jwt.ParsePrivateJWK([]byte(strings.Replace(otherKey, "c2", "c1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := jwt.NewSigner(other, audit.CheckpointType)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := foreign.Sign(nil, []byte(vectorPayload))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another key by its name": string(forged),
		"an access token":         signed("at+jwt", vectorPayload),
		"a JWT":                   signed("JWT", vectorPayload),
		"no type":                 signed("", vectorPayload),
		"another member":          signed(audit.CheckpointType, strings.Replace(vectorPayload, `{"time"`, `{"x":1,"time"`, 1)),
		"a member twice":          signed(audit.CheckpointType, strings.Replace(vectorPayload, `{"time"`, `{"node":"b","time"`, 1)),
		"another case":            signed(audit.CheckpointType, strings.Replace(vectorPayload, `"node":"node-a","inc`, `"Node":"node-a","inc`, 1)),
		"a changed byte":          vector[:80] + "A" + vector[81:],
		"nothing":                 "",
		"cut":                     vector[:len(vector)-4],
	} {
		if c, err := audit.ReadCheckpoint(text, set); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// Two checkpoints that say different things of one place tell of a chain that was written
// anew in between, whichever of them it is like now.
func TestCheckpointsThatDisagree(t *testing.T) {
	a, b := exampleCheckpoint(), exampleCheckpoint()
	b.Time, b.Changes.Hash = b.Time.Add(time.Hour), []byte{9}
	r := audit.NewVerifier(a, b).Report()
	if !contains(r.Problems, `change 3: the checkpoints of 2026-11-23T12:00:00Z and 2026-11-23T13:00:00Z say different things`) {
		t.Errorf("%v", r.Problems)
	}
}

// What is unchanged needs no new checkpoint; audit.tokens turned off does.
func TestSame(t *testing.T) {
	base := exampleCheckpoint()
	for name, edit := range map[string]func(*audit.Checkpoint){
		"tokens":      func(c *audit.Checkpoint) { c.Tokens = audit.Off },
		"incarnation": func(c *audit.Checkpoint) { c.Incarnation = "NEW" },
		"changes":     func(c *audit.Checkpoint) { c.Changes.Count++ },
		"hash":        func(c *audit.Checkpoint) { c.Changes.Hash = []byte{1} },
		"batches":     func(c *audit.Checkpoint) { c.Activity[0].Count++ },
		"nodes":       func(c *audit.Checkpoint) { c.Activity = append(c.Activity, audit.Point{Node: "node-b", Count: 1}) },
	} {
		c := exampleCheckpoint()
		edit(&c)
		if c.Same(&base) {
			t.Errorf("%s: not seen", name)
		}
	}
	later := exampleCheckpoint()
	later.Time, later.Part, later.Node = later.Time.Add(time.Hour), 2, "node-b"
	if !later.Same(&base) {
		t.Error("another time is something new")
	}
}

// otherKey is of the bytes 0 to 31.
const otherKey = `{"kty":"OKP","crv":"Ed25519","kid":"c2","alg":"EdDSA","d":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}`
