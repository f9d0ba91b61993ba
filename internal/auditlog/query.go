package auditlog

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// The bounds of a page (ARB-17).
const (
	defaultLimit = 50
	mostLimit    = 500
)

// actionName is what actions are called, ours and those of products.
var actionName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// asked are the parameters of a query, each once at most.
type asked struct {
	values url.Values
	wrong  *failure // the first
}

// readQuery reads the query; names are the parameters that there are.
func readQuery(raw string, names ...string) *asked {
	values, err := url.ParseQuery(raw) // which the guard has read alike
	a := &asked{values: values}
	if err != nil {
		a.refuse("the query cannot be read")
	}
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	for name, list := range values {
		switch {
		case !known[name]:
			a.refuse("a parameter is none of " + strings.Join(names, ", "))
		case len(list) != 1:
			a.refuse(name + " stands there twice; send it once")
		}
	}
	return a
}

func (a *asked) refuse(description string) {
	if a.wrong == nil {
		a.wrong = &failure{status: http.StatusBadRequest, Code: "invalid_request", Description: description, reason: string(guard.Parameter)}
	}
}

// text is a parameter, empty where it was left out or has no value (COM-02).
func (a *asked) text(name string) string { return a.values.Get(name) }

// time reads a point in time in UTC.
func (a *asked) time(name string) time.Time {
	text := a.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !strings.HasSuffix(text, "Z") || t.Year() < 1970 || t.Year() > 9998 {
		a.refuse(name + " is no time: write ISO 8601 in UTC, as in 2026-11-23T06:00:00Z")
	}
	return t
}

// limit reads how many entries a page has.
func (a *asked) limit() int {
	text := a.text("limit")
	if text == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostLimit || strconv.Itoa(n) != text {
		a.refuse("limit is from 1 to " + strconv.Itoa(mostLimit) + "; left out it is " + strconv.Itoa(defaultLimit))
	}
	return n
}

// action reads the name of an action.
func (a *asked) action() domain.Action {
	text := a.text("action")
	if text != "" && !actionName.MatchString(text) {
		a.refuse("action is the name of one, as in dlp_block or token.issue")
	}
	return domain.Action(text)
}

// query is what both reading endpoints ask for: entries of these, newest first, from
// created_after to before created_before.
func (a *asked) query(of whose) domain.Query {
	q := domain.Query{Issuer: of.issuer, Tenant: of.tenant, Action: a.action(), From: a.time("created_after"), To: a.time("created_before")}
	if !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From) {
		a.refuse("created_before lies before created_after; exchange them")
	}
	return q
}
