package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// clientRows lists what a client is, without what is empty.
func clientRows(c *admin.Client) [][]string {
	var rows [][]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("id", c.ID)
	add("issuer", c.Issuer)
	add("name", c.Name)
	add("tenant", tenantOf(&c.Client))
	add("status", string(c.Status))
	add("scopes", c.Scopes.String())
	add("audiences", strings.Join(c.Audiences, " "))
	add("policies", strings.Join(c.Policies, " "))
	for _, kind := range c.ResourceScope.Kinds() {
		add("resource "+kind, resourceText(c.ResourceScope[kind]))
	}
	if c.Lifetime != 0 {
		add("lifetime", c.Lifetime.Duration().String())
	}
	add("tier", c.Tier)
	for _, api := range slices.Sorted(maps.Keys(c.RateLimits)) {
		add("rate limit "+api, perMinute(c.RateLimits[api]))
	}
	add("partner", yes(c.Partner))
	add("scope required", yes(c.ScopeRequired))
	add("imported", yes(c.Imported))
	add("owner", c.Owner)
	add("contact", c.Contact)
	add("note", c.Note)
	add("valid until", moment(c.ValidUntil))
	add("created", moment(&c.Created))
	for _, s := range c.Secrets {
		add("secret "+s.ID, secretText(s))
	}
	add("file", c.Origin)
	add("epoch", strconv.FormatInt(c.Epoch, 10))
	add("version", strconv.FormatInt(c.Version, 10))
	return rows
}

func perMinute(n int64) string { return strconv.FormatInt(n, 10) + " a minute" }

func resourceText(r domain.Resources) string {
	if r.All {
		return "all"
	}
	return strings.Join(r.IDs, " ")
}

func secretText(s domain.Secret) string {
	text := "made " + moment(&s.Created)
	if s.LastFour != "" {
		text = fmt.Sprintf("ends in %s, %s", s.LastFour, text)
	}
	if s.Expires != nil {
		text += ", expires " + moment(s.Expires)
	}
	return text
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// moment is a time for people, to the second in UTC; empty for none.
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
