package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/strictyaml"
)

// try is one call of a sample API, as a file of objects/try has it.
type try struct {
	Caption   string `yaml:"caption"`    // what the command does
	API       string `yaml:"api"`        // which of the issuer's it calls, by name; left out: the first
	Client    string `yaml:"client"`     // whose token it gets, by name
	Key       string `yaml:"key"`        // instead: the API key that it calls with, by label
	Scope     string `yaml:"scope"`      // that it asks for; left out: what the token request must name
	TokenAt   string `yaml:"token_at"`   // where, without a path; left out: the issuer
	CallAt    string `yaml:"call_at"`    // where it calls, without a path; left out: the issuer
	Request   string `yaml:"request"`    // method and path
	Days      bool   `yaml:"days"`       // the path names $YESTERDAY and $TODAY
	Body      string `yaml:"body"`       // JSON
	Calls     int    `yaml:"calls"`      // how often, all of them within one minute; left out: once
	SwitchOff bool   `yaml:"switch_off"` // the client is switched off and on between token and call
	Status    int    `yaml:"status"`     // of the answer, the last one
	Says      string `yaml:"says"`       // what stands in the answer
}

// readTries are those of the issuer at the port.
func readTries(issuer string, port int) ([]try, error) {
	name := "objects/try/" + issuer + ".yaml"
	data, err := render(name, places{Port: port})
	if err != nil {
		return nil, err
	}
	return decodeAll[try](name, data)
}

// decodeAll reads the documents of one of our own files.
func decodeAll[T any](name string, data []byte) ([]T, error) {
	docs, problems := strictyaml.Parse(data)
	list := make([]T, len(docs))
	for i, d := range docs {
		problems = append(problems, d.Decode(&list[i])...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %v", name, problems)
	}
	return list, nil
}

// command is for bash, and can be pasted any number of times.
func (t *try) command(i *shownIssuer, a *shownAPI, data string) (string, error) {
	method, path, ok := strings.Cut(t.Request, " ")
	if !ok {
		return "", fmt.Errorf("try %q: there is no method and path in %q", t.Caption, t.Request)
	}
	lines, err := t.credential(i, a, data)
	if err != nil {
		return "", fmt.Errorf("try %q: %w", t.Caption, err)
	}
	if t.Days {
		lines = append(lines, "YESTERDAY=$(date -u -d yesterday +%Y-%m-%dT00:00:00Z)", "TODAY=$(date -u +%Y-%m-%dT00:00:00Z)")
	}
	call := t.call(method, cmp.Or(t.CallAt, i.Issuer)+path)
	if t.Calls > 1 {
		// In the last seconds of a minute it waits for the next: some of the calls would pass there.
		lines = append(lines, "sleep $(( $(date +%s) % 60 < 55 ? 0 : 6 ))", "for n in $(seq "+strconv.Itoa(t.Calls)+"); do", call)
		call = "done"
	}
	return strings.Join(append(lines, call), "\n"), nil
}

// credential keeps what the call is made with: a new token in $TOKEN, or an API key in $KEY.
func (t *try) credential(i *shownIssuer, a *shownAPI, data string) ([]string, error) {
	if t.Key != "" {
		n := slices.IndexFunc(a.Keys, func(k shownKey) bool { return k.Label == t.Key })
		if n < 0 {
			return nil, fmt.Errorf("there is no API key %q of %s", t.Key, a.Name)
		}
		return []string{"KEY=" + word(a.Keys[n].Key)}, nil
	}
	n := slices.IndexFunc(i.Clients, func(c shownClient) bool { return c.Name == t.Client })
	if n < 0 {
		return nil, fmt.Errorf("there is no client %q", t.Client)
	}
	client := &i.Clients[n]
	lines := []string{t.token(i, client)}
	if t.SwitchOff {
		for _, verb := range []string{"disable", "enable"} {
			lines = append(lines, fmt.Sprintf("%s client %s --data %s --issuer %s %s", self(), verb, word(absolute(data)), i.Name, client.ID))
		}
	}
	return lines, nil
}

// token keeps a new token in $TOKEN.
func (t *try) token(i *shownIssuer, c *shownClient) string {
	scope, audience := required(i.dialect, *c)
	at := cmp.Or(t.TokenAt, i.Issuer) + i.dialect.Wire.Path
	get := i.dialect.TokenCommand(at, c.ID, c.Secret, cmp.Or(t.Scope, scope), audience)
	return "TOKEN=$(" + get + ` \
  | sed 's/.*"access_token":"\([^"]*\)".*/\1/')`
}

// call prints the body and the status, or of several calls the status only.
func (t *try) call(method, url string) string {
	words := []string{"curl -sS"}
	if method != "GET" && (method != "POST" || t.Body == "") { // else curl knows by itself
		words = append(words, "-X "+method)
	}
	if t.Calls > 1 {
		words = append(words, "-o /dev/null", `-w 'HTTP %{http_code}\n'`)
	} else {
		words = append(words, `-w '\nHTTP %{http_code}\n'`)
	}
	address := word(url)
	if t.Days {
		address = `"` + url + `"` // of our own files, for the shell to fill in
	}
	kept := "$TOKEN"
	if t.Key != "" {
		kept = "$KEY"
	}
	words = append(words, address, "\\\n  -H \"Authorization: Bearer "+kept+"\"")
	if t.Body != "" {
		words = append(words, "\\\n  -H 'Content-Type: application/json' -d", word(t.Body))
	}
	return strings.Join(words, " ")
}

// plain is what a shell reads as one word without quotes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// word makes one word of a shell's command line.
func word(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// self is how a shell that stands elsewhere calls this program.
func self() string {
	if !strings.Contains(os.Args[0], "/") {
		return word(os.Args[0]) // found in PATH
	}
	return word(absolute(os.Args[0]))
}

// absolute is the path for whoever stands in another directory.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
