package dialect

import (
	"strconv"
	"sync"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// prepared is what the codec works out once, when a file is loaded.
type prepared struct {
	open     []part       // the answer up to and around its values
	headers  headerValues // shared by all answers, and never changed
	exchange sync.Pool    // of *exchange
}

// part is a member of the answer: its name with everything in front of the value.
type part struct {
	ResponseField
	first, next []byte // `{"name":` and `,"name":`; with the value where that is constant
}

// headerValues are the values of headers, ready to be put into an http.Header.
// Each slice is full, so that adding to a header copies it.
type headerValues struct {
	json, noStore, noCache, noSniff, post, challenge []string
}

func (d *Dialect) prepare() {
	p := &prepared{headers: headerValues{
		json:      []string{"application/json"},
		noStore:   []string{"no-store"},
		noCache:   []string{"no-cache"},
		noSniff:   []string{"nosniff"},
		post:      []string{"POST"},
		challenge: []string{`Basic realm="` + d.Server.Realm + `"`},
	}}
	for _, f := range d.Wire.Response {
		m := part{ResponseField: f}
		tail := strictjson.AppendString(nil, f.Name)
		tail = append(tail, ':')
		if f.From == FromTokenType {
			tail = strictjson.AppendString(tail, d.Wire.TokenType)
		}
		m.first, m.next = append([]byte("{"), tail...), append([]byte(","), tail...)
		p.open = append(p.open, m)
	}
	most := d.Server.MaxBody
	p.exchange.New = func() any { return &exchange{body: make([]byte, 0, most+1)} }
	d.prepared = p
}

// exchange is what one request or answer needs for a moment.
type exchange struct {
	body []byte  // of the request, with room for one byte too many; or of the answer
	form []field // of the request, pointing into body
}

// field is one parameter of a request.
type field struct{ name, value []byte }

// borrow returns an exchange, to be given back.
func (p *prepared) borrow() *exchange { return p.exchange.Get().(*exchange) }

// giveBack wipes what was in it: secrets do not stay in a pool.
func (p *prepared) giveBack(x *exchange) {
	clear(x.body)
	clear(x.form)
	x.body, x.form = x.body[:0], x.form[:0]
	if cap(x.form) > 64 {
		x.form = nil
	}
	p.exchange.Put(x)
}

// appendAnswer appends the body of a successful answer.
func (p *prepared) appendAnswer(dst []byte, resp oauth.TokenResponse) []byte {
	for _, m := range p.open {
		if m.When == Changed && !resp.ScopeChanged {
			continue
		}
		if len(dst) == 0 {
			dst = append(dst, m.first...)
		} else {
			dst = append(dst, m.next...)
		}
		switch m.From {
		case FromAccessToken:
			dst = strictjson.AppendString(dst, string(resp.AccessToken))
		case FromScope:
			dst = strictjson.AppendString(dst, resp.Scope.String())
		case FromExpiresIn:
			seconds := int64(resp.ExpiresIn.Seconds())
			if m.As == String {
				dst = append(strconv.AppendInt(append(dst, '"'), seconds, 10), '"')
			} else {
				dst = strconv.AppendInt(dst, seconds, 10)
			}
		}
	}
	return append(dst, '}')
}
