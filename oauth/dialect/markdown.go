package dialect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// Markdown is the documentation page of the dialect, made from its file alone.
func (d *Dialect) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nDialect `%s`, generated from its file.", d.Title, d.Name)
	if d.Source != "" {
		fmt.Fprintf(&b, " Described in: %s.", d.Source)
	}
	b.WriteString("\n\n")
	if d.Admin.Warning != "" {
		fmt.Fprintf(&b, "> **Before you create a client:** %s\n\n", d.Admin.Warning)
	}
	d.writeRequestPage(&b)
	d.writeAnswerPage(&b)
	d.writeTokenPage(&b)
	d.writeErrorsPage(&b)
	return b.String()
}

func (d *Dialect) writeRequestPage(b *strings.Builder) {
	w := &d.Wire
	types := d.mediaTypes()
	fmt.Fprintf(b, "## Request\n\n`POST {issuer}%s`, the query string empty. The body is `%s`, at most %d bytes.\n", w.Path, strings.Join(types, "`, `"), d.Server.MaxBody)
	fmt.Fprintf(b, "Credentials are sent %s%s.\n", d.where(), map[Placement]string{
		BasicOrBody:   ", not both ways at once",
		Body:          "; an `Authorization` header is refused",
		Basic:         "; `client_secret` in the body is refused",
		BasicOverBody: "; with both, the header counts and the body's copy is not looked at",
		BasicAndBody:  ", and must be equal",
	}[w.Placement])
	if d.Server.RefuseOrigin {
		b.WriteString("A request with an `Origin` header is refused: this is not for browsers.\n")
	}
	b.WriteString("\n| Parameter | | |\n|---|---|---|\n| `grant_type` | required | `client_credentials` |\n")
	if w.Placement != Basic {
		presence := map[Placement]string{Body: "required", BasicAndBody: "required"}[w.Placement]
		if presence == "" {
			presence = "without Basic"
		}
		fmt.Fprintf(b, "| `client_id`, `client_secret` | %s | |\n", presence)
	}
	if w.Scope.Presence != None {
		fmt.Fprintf(b, "| `scope` | %s | %s |\n", w.Scope.Presence, d.scopeNote())
	}
	if w.Audience.Presence != None {
		fmt.Fprintf(b, "| `%s` | %s | the API that the token is for; one that the client was given |\n", w.Audience.Name, w.Audience.Presence)
	}
	b.WriteString("\nOther parameters are ignored; a parameter that stands there twice is refused; one without a value counts as left out.\n\n")
	url, id, secret, scope, audience := d.placeholders()
	fmt.Fprintf(b, "```sh\n%s\n```\n\n", d.TokenCommand(url, id, secret, scope, audience))
}

// placeholders are what the example command is about.
func (d *Dialect) placeholders() (url, id, secret, scope, audience string) {
	if d.Wire.Scope.Presence == Required {
		scope = "SCOPE"
	}
	if d.Wire.Scope.Fixed != "" {
		scope = d.Wire.Scope.Fixed
	}
	if d.Wire.Audience.Presence == Required {
		audience = "AUDIENCE"
	}
	return "https://issuer.example" + d.Wire.Path, "CLIENT_ID", "CLIENT_SECRET", scope, audience
}

func (d *Dialect) scopeNote() string {
	notes := []string{}
	if d.Wire.Scope.Fixed != "" {
		notes = append(notes, "exactly `"+d.Wire.Scope.Fixed+"`")
	}
	if d.Wire.Scope.Presence == Optional && d.Server.Scope.Omitted == AllAssigned {
		notes = append(notes, "left out: all that the client was given")
	} else if d.Wire.Scope.Presence == Optional {
		notes = append(notes, "left out: none")
	}
	for _, binding := range d.Server.Scope.Bindings {
		notes = append(notes, fmt.Sprintf("`%s` binds the token to a %s, at most %d in a request", binding.Pattern, binding.Kind, binding.Max))
	}
	return strings.Join(notes, "; ")
}

func (d *Dialect) writeAnswerPage(b *strings.Builder) {
	example := d.prepared.appendAnswer(nil, oauth.TokenResponse{
		AccessToken: "eyJ...", ExpiresIn: d.DefaultLifetime(), Scope: oauth.Scope{"SCOPE"}, ScopeChanged: true})
	fmt.Fprintf(b, "## Answer\n\n```json\n%s\n```\n\n", example)
	for _, f := range d.Wire.Response {
		if f.When == Changed {
			fmt.Fprintf(b, "`%s` is there only where the scope is not the one asked for.\n\n", f.Name)
		}
	}
}

func (d *Dialect) writeTokenPage(b *strings.Builder) {
	s := &d.Server
	fmt.Fprintf(b, "## Token\n\nA JWT with `typ` `%s`, signed with %s. ", s.Typ, strings.Join(s.Algorithms, ", "))
	if s.Lifetime.Fixed {
		fmt.Fprintf(b, "It lives %d seconds, fixed.", s.Lifetime.Default)
	} else {
		fmt.Fprintf(b, "It lives %d seconds unless the client has another lifetime, at most %d.", s.Lifetime.Default, s.Lifetime.Max)
	}
	if s.PartnerClients == PartnersRefused {
		b.WriteString(" Clients marked as partner integrations get none.")
	}
	b.WriteString("\n\n| Claim | Value |\n|---|---|\n| `iss`, `aud`, `sub`, `client_id`, `iat`, `exp`, `jti` | as in RFC 9068 |\n")
	for _, c := range s.Claims {
		value := string(c.From) + ", left out where there is none"
		if c.Empty == Null {
			value = string(c.From) + ", `null` where there is none"
		}
		if c.Value != "" {
			value = "always " + strconv.Quote(c.Value)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", c.Name, strings.ReplaceAll(value, "|", `\|`))
	}
	b.WriteString("\n")
}

func (d *Dialect) writeErrorsPage(b *strings.Builder) {
	b.WriteString("## Errors\n\nThe first check that fails is answered, in this order.\n\n| Failure | Status | `error` | `error_description` |\n|---|---|---|---|\n")
	for _, f := range oauth.Failures() {
		if !d.Meets(f) {
			continue
		}
		a := d.Answer(f)
		fmt.Fprintf(b, "| %s | %d | `%s` | %s |\n", f, a.Status, a.Code, strings.ReplaceAll(a.Description, "|", `\|`))
	}
	when := "where the client used the `Authorization` header"
	if d.Server.Challenge == AlwaysChallenge || d.Wire.Placement == Basic || d.Wire.Placement == BasicAndBody {
		when = "always"
	}
	fmt.Fprintf(b, "\nA 401 carries `WWW-Authenticate: Basic realm=\"%s\"` %s.\n", d.Server.Realm, when)
}
