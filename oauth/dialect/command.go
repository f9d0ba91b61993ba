package dialect

import (
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// TokenCommand is a curl command for a shell that gets a token as this dialect
// wants it. What is passed as secret stands in the text as it is: pass a
// placeholder where others can read it. An empty scope or audience is left out.
func (d *Dialect) TokenCommand(tokenURL, id, secret, scope, audience string) string {
	words := []string{"curl -sS " + quote(tokenURL)}
	if d.Wire.Placement != Body {
		words = append(words, "-u "+quote(id+":"+secret))
	}
	params := []param{{"grant_type", oauth.ClientCredentials}}
	if d.Wire.Placement == Body || d.Wire.Placement == BasicAndBody {
		params = append(params, param{"client_id", id}, param{"client_secret", secret})
	}
	if scope != "" && d.Wire.Scope.Presence != None {
		params = append(params, param{"scope", scope})
	}
	if audience != "" && d.Wire.Audience.Presence != None {
		params = append(params, param{d.Wire.Audience.Name, audience})
	}
	encoding := d.Wire.Encodings[0]
	if encoding == JSON {
		body, _ := writeBody(JSON, params)
		words = append(words, "-H 'Content-Type: application/json'", "-d "+quote(string(body)))
		return strings.Join(words, " \\\n  ")
	}
	option := "--data-urlencode "
	if encoding == Multipart {
		option = "--form-string "
	}
	for _, p := range params {
		words = append(words, option+quote(p.name+"="+p.value))
	}
	return strings.Join(words, " \\\n  ")
}

// quote makes one word of a shell's command line.
func quote(s string) string {
	if s != "" && only(s, letters+digit+"-_./:=@%+,") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
