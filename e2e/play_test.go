package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// player plays one conversation in a world.
type player struct {
	*script
	names
	world   *world
	host    string
	clients map[string]made // by name
	first   string          // name of the first of them
	wire    *wire
	source  func(section int) net.IP
	broken  bool // the store is, by the act `stale`
	before  int  // that the next request is sent so often before
}

// newPlayer creates the objects of the conversation. issuer is the name it plays
// under, dialect that of the contract.
func newPlayer(w *world, s *script, issuer, dialect string) (*player, error) {
	p := &player{
		script: s, world: w, host: issuer + ".example", clients: make(map[string]made),
		source: func(section int) net.IP { return net.IPv4(127, 1, byte(section), 1) },
	}
	p.names = names{now: w.node.Snapshot.Now, text: maps.Clone(s.lets)}
	p.text["name"], p.text["dialect"], p.text["host"], p.text["issuer"] = issuer, dialect, p.host, "https://"+p.host
	return p, p.create("objects.yaml")
}

// create creates the objects of a file; their credentials become variables.
func (p *player) create(file string) error {
	text, err := p.expand(p.files[file], nil)
	if err != nil {
		return err
	}
	list, err := p.world.create(text)
	for _, c := range list {
		p.know(c)
	}
	return err
}

// know makes {{id:NAME}}, {{secret:NAME}} and {{basic:NAME}} of a client, and for the
// first one {{id}}, {{secret}} and {{basic}} as well.
func (p *player) know(c made) {
	basic := base64.StdEncoding.EncodeToString([]byte(c.ID + ":" + string(c.secret)))
	if len(p.clients) == 0 {
		p.first = c.Name
	}
	p.clients[c.Name] = c
	for name, value := range map[string]string{"id": c.ID, "secret": string(c.secret), "basic": basic} {
		p.text[name+":"+c.Name] = value
		if c.Name == p.first {
			p.text[name] = value
		}
	}
}

// play plays a section and returns the first thing that is not as it says.
func (p *player) play(n int) (err error) {
	p.wire = &wire{address: p.world.addresses[0], from: p.source(n)}
	defer func() {
		p.wire.close()
		if p.broken {
			err = errors.Join(err, p.fresh())
		}
	}()
	steps, err := p.sections[n].steps()
	if err != nil {
		return err
	}
	for i, s := range steps {
		if s.act != "" {
			err = p.act(s.act)
		} else {
			err = p.exchange(&s.exchange)
		}
		if err != nil {
			what := s.act
			if what == "" {
				what = s.request[0]
			}
			return fmt.Errorf("step %d (%s): %w", i+1, what, err)
		}
	}
	return nil
}

func (p *player) exchange(e *exchange) error {
	lines := make([]string, len(e.request))
	for i, line := range e.request {
		var err error
		if lines[i], err = p.expand(line, nil); err != nil {
			return err
		}
	}
	request := compose(lines, p.host)
	for ; p.before > 0; p.before-- {
		if _, err := p.wire.send(request); err != nil {
			return err
		}
	}
	if len(e.answer) == 0 {
		return errors.New("nothing is expected")
	}
	a, err := p.wire.send(request)
	if err != nil {
		return err
	}
	token, err := p.compare(e.answer, a)
	if err != nil {
		return err
	}
	if (token == "") != (len(e.token) == 0) {
		return errors.New("a token and what is in it (`= …`) belong together")
	}
	if token == "" {
		return nil
	}
	return p.compareToken(e.token, token)
}

// always are the header fields of every answer of a token endpoint (COM-03, D-33). A
// conversation may say otherwise, or say `!Name`.
func always() map[string]string {
	return map[string]string{
		"cache-control": "no-store", "pragma": "no-cache", "content-type": "application/json",
		"x-content-type-options": "nosniff", "x-request-id": "{{uuid}}",
	}
}

// compare holds the whole answer against the lines: status, every header field
// but Date, Content-Length and Connection, and the body. So none of
// Access-Control-* is there unless a line says so (OMN-07).
func (p *player) compare(lines []string, a *answer) (token string, err error) {
	want := always()
	body := []string{}
	for i, line := range lines[1:] {
		if line == "" {
			body = lines[i+2:]
			break
		}
		if line, err = p.expand(line, unknowns()); err != nil {
			return "", err
		}
		if out, ok := strings.CutPrefix(line, "!"); ok {
			delete(want, strings.ToLower(out))
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return "", fmt.Errorf("%q is no header field", line)
		}
		want[strings.ToLower(name)] = value
	}
	token, bodyErr := p.match(strings.Join(body, "\n"), a.body)
	if got := strconv.Itoa(a.status); got != lines[0] {
		return "", fmt.Errorf("status %s, want %s; body %s", got, lines[0], a.body)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got := a.get(name)
		if len(got) != 1 {
			return "", fmt.Errorf("header %s stands there %d times, want %q", name, len(got), want[name])
		}
		if _, err := p.match(want[name], got[0]); err != nil {
			return "", fmt.Errorf("header %s: %w", name, err)
		}
	}
	for _, f := range a.fields {
		name := strings.ToLower(f.name)
		if _, ok := want[name]; !ok && name != "date" && name != "content-length" && name != "connection" {
			return "", fmt.Errorf("header nobody asked for: %s: %s", f.name, f.value)
		}
	}
	if bodyErr != nil {
		return "", fmt.Errorf("body: %w", bodyErr)
	}
	return token, nil
}

// compareToken holds header and claims against the lines, to the byte, and verifies
// the signature by the issuer's published keys.
func (p *player) compareToken(lines []string, token string) error {
	parts := strings.Split(token, ".")
	for _, line := range lines {
		what, want, _ := strings.Cut(line, " ")
		i, known := map[string]int{"header": 0, "claims": 1}[what]
		if !known {
			return fmt.Errorf("%q is neither header nor claims", what)
		}
		got, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err != nil {
			return err
		}
		if _, err := p.match(want, string(got)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return p.verify(token)
}

// verify checks the signature by go-jose; that of HS256 nobody outside can.
func (p *player) verify(token string) error {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256, jose.HS256})
	if err != nil {
		return err
	}
	h := jws.Signatures[0].Header
	if h.Algorithm == string(jose.HS256) {
		return nil
	}
	view := p.world.node.Snapshot.View()
	for _, issuer := range view.Issuers() {
		keys, err := parseKeys(issuer.JWKS(p.now()))
		if err != nil {
			return err
		}
		if key := keys.Key(h.KeyID); len(key) == 1 {
			_, err := jws.Verify(key[0])
			return err
		}
	}
	return fmt.Errorf("no key %q", h.KeyID)
}
