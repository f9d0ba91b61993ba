package dialect

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern-dev/postern/oauth"
)

// check holds a filled dialect against what no dialect can say away.
func (p *problems) check(d *Dialect) {
	if d.Schema != Schema {
		p.add("schema", "must be %d", Schema)
	}
	if !word(d.Name, lower, lower+digit+"-", 32) {
		p.add("name", "must be up to 32 lower-case letters, digits and -, and begin with a letter")
	}
	p.text("title", d.Title, 200)
	p.text("source", d.Source, 1000)
	p.text("admin.warning", d.Admin.Warning, 1000)
	twice(p, "admin.ask", d.Admin.Ask)
	p.checkWire(&d.Wire)
	p.checkServer(d)
	if f := d.Client.RefreshFraction; !(f > 0 && f <= 0.9) {
		p.add("client.refresh_fraction", "must be above 0 and at most 0.9")
	}
	p.between("client.max_body", d.Client.MaxBody, 1024, 1<<20)
}

func (p *problems) checkWire(w *Wire) {
	if !tokenPath(w.Path) {
		p.add("wire.path", "must be an absolute path of letters, digits and -._~: without dot segments, // or a slash at its end, not below /.well-known, e.g. /oauth2/token")
	}
	if len(w.Encodings) == 0 {
		p.add("wire.encodings", "must hold at least one encoding")
	}
	twice(p, "wire.encodings", w.Encodings)
	if !word(w.Audience.Name, letters, letters+digit+"_.-", 64) || slices.Contains(coreParameters(), w.Audience.Name) {
		p.add("wire.audience.name", "must be a name of its own of letters, digits and _.-, e.g. audience")
	}
	p.checkScopeParam(&w.Scope)
	p.checkResponse(w.Response)
	if !strings.EqualFold(w.TokenType, "bearer") || len(w.TokenType) != len("bearer") {
		p.add("wire.token_type", "must be bearer in upper or lower case (RFC 6750): no other type is issued")
	}
}

// coreParameters are those of RFC 6749 §2.3.1 and §4.4.2.
func coreParameters() []string { return []string{"grant_type", "client_id", "client_secret", "scope"} }

func (p *problems) checkScopeParam(s *ScopeParam) {
	if s.Fixed == "" {
		return
	}
	if parsed, err := oauth.ParseScope(s.Fixed); err != nil || parsed.String() != s.Fixed {
		p.add("wire.scope.fixed", "must be scope tokens separated by single spaces (RFC 6749 §3.3), each once")
	}
	if s.Presence == None {
		p.add("wire.scope.fixed", "cannot be asked for while wire.scope.presence is none")
	}
}

func (p *problems) checkResponse(fields []ResponseField) {
	names, sources := make(map[string]bool), make(map[ResponseSource]int)
	for i, f := range fields {
		field := fmt.Sprintf("wire.response[%d]", i)
		sources[f.From]++
		switch {
		case !word(f.Name, letters+"_", letters+digit+"_.-", 64) || f.Name == "error" || f.Name == "error_description":
			p.add(field+".name", "must be a name of letters, digits and _.- that is not that of an error")
		case names[f.Name]:
			p.add(field+".name", "is the name of another member: each may occur once")
		}
		names[f.Name] = true
		if f.From == "" {
			p.add(field+".from", "must be one of %s", join([]ResponseSource{FromAccessToken, FromTokenType, FromExpiresIn, FromScope}))
		}
		if f.As == Number && f.From != FromExpiresIn {
			p.add(field+".as", "must be string: only expires_in is a number")
		}
		if f.When == Changed && f.From != FromScope {
			p.add(field+".when", "must be always: only scope can be left out")
		}
	}
	for _, source := range []ResponseSource{FromAccessToken, FromTokenType, FromExpiresIn} {
		if sources[source] != 1 {
			p.add("wire.response", "must have exactly one member from %s, and has %d", source, sources[source])
		}
	}
	if sources[FromScope] > 1 {
		p.add("wire.response", "must have at most one member from scope, and has %d", sources[FromScope])
	}
}

func (p *problems) checkServer(d *Dialect) {
	s := &d.Server
	for _, f := range oauth.Failures() {
		p.checkAnswer(f, s.Errors[f])
	}
	if s.Realm == "" || len(s.Realm) > 128 || !describable(s.Realm) {
		p.add("server.realm", `must be up to 128 printable ASCII characters without " and \`)
	}
	if !word(s.Typ, letters+digit, letters+digit+"+.-", 32) {
		p.add("server.typ", "must be up to 32 letters, digits and +.-, e.g. at+jwt")
	}
	kinds := p.checkBindings(d)
	p.checkClaims(s.Claims, kinds)
	if len(s.Algorithms) == 0 {
		p.add("server.algorithms", "must hold at least one algorithm")
	}
	known := []string{es256, edDSA, rs256, ps256, hs256}
	for i, a := range s.Algorithms {
		if !slices.Contains(known, a) {
			p.add(fmt.Sprintf("server.algorithms[%d]", i), "must be one of %s", join(known))
		}
	}
	twice(p, "server.algorithms", s.Algorithms)
	p.checkLifetime(s.Lifetime)
	p.between("server.max_body", s.MaxBody, 256, defaultMaxBody)
}

// checkAnswer keeps an answer what it is: a failure of the client is never
// told as success, and what a client library acts on stays as RFC 6749 §5.2 has it.
func (p *problems) checkAnswer(f oauth.Failure, a Answer) {
	field := "server.errors." + string(f)
	low, high := 400, 499
	switch f {
	case oauth.FailureMethod:
		low, high = 405, 405
	case oauth.FailureTooManyAttempts:
		low, high = 429, 429
	case oauth.FailureUnavailable, oauth.FailureServer:
		low, high = 500, 599
	case oauth.FailureCredentialsMissing, oauth.FailureCredentialsMalformed, oauth.FailureCredentialsWrong:
		low, high = 401, 401
		if a.Code != oauth.InvalidClient {
			p.add(field+".code", "must be %s (RFC 6749 §5.2)", oauth.InvalidClient)
		}
	case oauth.FailureCredentialsConflict:
		if (a.Status != 400 || a.Code != oauth.InvalidRequest) && (a.Status != 401 || a.Code != oauth.InvalidClient) {
			p.add(field, "must be 400 with %s or 401 with %s (RFC 6749 §5.2)", oauth.InvalidRequest, oauth.InvalidClient)
			return
		}
	}
	p.between(field+".status", a.Status, low, high)
	if !word(a.Code, letters, letters+digit+"_.:-", 64) {
		p.add(field+".code", "must be up to 64 letters, digits and _.:-, e.g. %s", oauth.InvalidRequest)
	}
	if a.Description == "" || len(a.Description) > 300 || !describable(a.Description) {
		p.add(field+".description", `must be up to 300 printable ASCII characters without " and \ (RFC 6749 §5.2)`)
	}
}

// checkBindings returns the kinds whose one id a claim may hold.
func (p *problems) checkBindings(d *Dialect) map[string]bool {
	kinds := make(map[string]bool)
	for i := range d.Server.Scope.Bindings {
		b := &d.Server.Scope.Bindings[i]
		field := fmt.Sprintf("server.scope.bindings[%d]", i)
		if d.Wire.Scope.Presence == None {
			p.add(field, "cannot be asked for while wire.scope.presence is none")
		}
		if err := b.compile(); err != nil {
			p.add(field+".pattern", "%v", err)
		}
		if _, again := kinds[b.Kind]; again || !word(b.Kind, lower, lower+digit+"_-", 32) {
			p.add(field+".kind", "must be up to 32 lower-case letters, digits and _-, and of one binding only")
		}
		p.between(field+".max", b.Max, 1, 100)
		kinds[b.Kind] = b.Max == 1
	}
	return kinds
}

// ReservedClaims are set by code after the claims of the dialect, or would say
// something that is not so (RFC 7519 §4.1, RFC 7800 §3.1).
func ReservedClaims() []string {
	return []string{"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "nbf", "cnf"}
}

func (p *problems) checkClaims(claims []Claim, kinds map[string]bool) {
	seen := make(map[string]bool)
	for i, c := range claims {
		field := fmt.Sprintf("server.claims[%d]", i)
		switch {
		case !word(c.Name, letters+"_", letters+digit+"_.:/-", 128):
			p.add(field+".name", "must be up to 128 letters, digits and _.:/-")
		case slices.Contains(ReservedClaims(), c.Name):
			p.add(field+".name", "must be another: %s is set by the server itself", c.Name)
		case seen[c.Name]:
			p.add(field+".name", "is the name of another claim: each may occur once")
		}
		seen[c.Name] = true
		if (c.From == "") == (c.Value == "") {
			p.add(field, "must have either from or value")
		}
		if c.From != "" {
			p.checkClaimSource(field+".from", c.From, kinds)
		}
		p.text(field+".value", c.Value, 256)
		if c.Name == "scope" && (c.From != ClaimScope || c.Empty != Omit) { // RFC 9068 §2.2.3, RFC 8693 §4.2: a string
			p.add(field, "must be from scope and left out where it is empty, or have another name: those who check a token read it as its scope")
		}
		if c.Value != "" && c.Empty != Omit {
			p.add(field+".empty", "must be omit: a constant is never empty")
		}
	}
}

func (p *problems) checkClaimSource(field string, from ClaimSource, kinds map[string]bool) {
	sources := []ClaimSource{ClaimClientID, ClaimTenantID, ClaimScope, ClaimAudience, ClaimTier, ClaimEnvironment}
	if slices.Contains(sources, from) {
		return
	}
	kind, ok := strings.CutPrefix(string(from), bindingPrefix)
	single, bound := kinds[kind]
	switch {
	case !ok || !bound:
		p.add(field, "must be one of %s, or %sKIND with a kind of server.scope.bindings", join(sources), bindingPrefix)
	case !single:
		p.add(field, "must name a binding whose max is 1: a claim holds one id")
	}
}

func (p *problems) checkLifetime(l Lifetime) {
	p.between("server.lifetime.max", l.Max, 1, int(MaxLifetime.Seconds()))
	p.between("server.lifetime.default", l.Default, 1, min(l.Max, int(MaxLifetime.Seconds())))
	if l.Fixed && l.Max != l.Default {
		p.add("server.lifetime.max", "must be left out or equal the default, which is fixed")
	}
}

func (p *problems) between(field string, n, low, high int) {
	switch {
	case n >= low && n <= high:
	case low == high:
		p.add(field, "must be %d", low)
	default:
		p.add(field, "must be %d to %d", low, high)
	}
}

// text checks what people read: no line ends or other control characters.
func (p *problems) text(field, s string, most int) {
	if len(s) > most || !printable(s) {
		p.add(field, "must be one line of at most %d bytes without control characters", most)
	}
}

func twice[T comparable](p *problems, field string, list []T) {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			p.add(fmt.Sprintf("%s[%d]", field, i), "stands here a second time: keep one")
		}
	}
}

// word reports whether s begins with one of the first characters, goes on with
// the others, and is no longer than that.
func word(s, first, chars string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexByte(first, s[0]) >= 0 && only(s, chars)
}

// printable reports whether s is text of one line.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// describable reports whether s may stand in error_description (RFC 6749 §5.2)
// and, for the same reason, in a quoted string of a header.
func describable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// tokenPath reports whether s is a path in the one spelling in which it is compared.
func tokenPath(s string) bool {
	if len(s) < 2 || len(s) > 256 || s[0] != '/' || s == "/.well-known" || strings.HasPrefix(s, "/.well-known/") {
		return false
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." || !only(segment, letters+digit+"-._~:") {
			return false
		}
	}
	return true
}
