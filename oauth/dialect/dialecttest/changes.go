package dialecttest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// wire lists what may change in Wire.
func wire(d *dialect.Dialect) []change {
	w := &d.Wire
	list := []change{
		{field: "wire.path", from: w.Path, to: []any{w.Path + "x"}},
		{field: "wire.encodings", from: w.Encodings, to: []any{otherEncodings(w.Encodings)}},
		{field: "wire.placement", from: w.Placement, to: others(w.Placement, dialect.Body, dialect.BasicOrBody)},
		{field: "wire.audience.presence", from: w.Audience.Presence, to: others(w.Audience.Presence, dialect.Required, dialect.Optional)},
		{field: "wire.scope.presence", from: w.Scope.Presence, to: others(w.Scope.Presence, dialect.Required, dialect.Optional)},
	}
	if w.Audience.Presence != dialect.None {
		list = append(list, change{field: "wire.audience.name", from: w.Audience.Name, to: []any{w.Audience.Name + "x"}})
	}
	if w.Scope.Presence != dialect.None {
		list = append(list, change{field: "wire.scope.fixed", from: w.Scope.Fixed, to: []any{"x:mutant"}})
	}
	list = append(list, response(w.Response)...)
	spelling := "bearer"
	if w.TokenType == spelling {
		spelling = "Bearer"
	}
	return append(list, change{field: "wire.token_type", from: w.TokenType, to: []any{spelling}})
}

// otherEncodings is one fewer where there are several, else one more.
func otherEncodings(list []dialect.Encoding) []dialect.Encoding {
	if len(list) > 1 {
		return list[:len(list)-1]
	}
	if list[0] == dialect.JSON {
		return []dialect.Encoding{dialect.JSON, dialect.Form}
	}
	return []dialect.Encoding{list[0], dialect.JSON}
}

// response changes the order, and each field of each member. The list is
// written out as a whole, because the file may leave it to the default.
func response(fields []dialect.ResponseField) []change {
	with := func(field string, i int, edit func(*dialect.ResponseField)) change {
		changed := slices.Clone(fields)
		edit(&changed[i])
		return change{field: "wire.response", from: fmt.Sprintf("[%d].%s", i, field), to: []any{changed}}
	}
	swapped := slices.Clone(fields)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	list := []change{{field: "wire.response", from: "order", to: []any{swapped}}}
	for i, f := range fields {
		list = append(list, with("name", i, func(f *dialect.ResponseField) { f.Name += "_x" }))
		switch f.From {
		case dialect.FromExpiresIn:
			list = append(list, with("as", i, func(f *dialect.ResponseField) {
				if f.As == dialect.Number {
					f.As = dialect.String
				} else {
					f.As = dialect.Number
				}
			}))
		case dialect.FromScope:
			list = append(list, with("when", i, func(f *dialect.ResponseField) {
				if f.When == dialect.Always {
					f.When = dialect.Changed
				} else {
					f.When = dialect.Always
				}
			}))
		}
	}
	// Two sources change places: the floor allows no other change of from.
	crossed := slices.Clone(fields)
	crossed[0].Name, crossed[1].Name = crossed[1].Name, crossed[0].Name
	return append(list, change{field: "wire.response", from: "from", to: []any{crossed}})
}

// server lists what may change in Server.
func server(d *dialect.Dialect) []change {
	s := &d.Server
	list := answers(d)
	list = append(list,
		change{field: "server.realm", from: s.Realm, to: []any{s.Realm + "x"}},
		change{field: "server.typ", from: s.Typ, to: []any{s.Typ + "x"}},
		change{field: "server.algorithms", from: s.Algorithms, to: []any{otherAlgorithms(s.Algorithms)}},
		change{field: "server.lifetime.default", from: s.Lifetime.Default, to: []any{s.Lifetime.Default - 60, s.Lifetime.Default + 1}},
		change{field: "server.lifetime.fixed", from: s.Lifetime.Fixed, to: []any{!s.Lifetime.Fixed}, also: fixedToo(s.Lifetime)},
		change{field: "server.refuse_origin", from: s.RefuseOrigin, to: []any{!s.RefuseOrigin}},
		change{field: "server.max_body", from: s.MaxBody, to: []any{s.MaxBody / 2}},
		change{field: "server.partner_clients", from: s.PartnerClients, to: others(s.PartnerClients, dialect.PartnersRefused, dialect.PartnersAllowed)},
	)
	if !s.Lifetime.Fixed {
		list = append(list, change{field: "server.lifetime.max", from: s.Lifetime.Max, to: []any{s.Lifetime.Max - 1}})
	}
	if w := d.Wire.Placement; w != dialect.Basic && w != dialect.BasicAndBody { // there every 401 has a challenge
		list = append(list, change{field: "server.challenge", from: s.Challenge, to: others(s.Challenge, dialect.AlwaysChallenge, dialect.BasicUsed)})
	}
	if d.Wire.Scope.Presence != dialect.Required {
		list = append(list, change{field: "server.scope.omitted", from: s.Scope.Omitted, to: others(s.Scope.Omitted, dialect.AllAssigned, dialect.NoScope)})
	}
	return append(append(list, bindings(d)...), claims(d)...)
}

// fixedToo keeps max equal to the default where the lifetime becomes fixed.
func fixedToo(l dialect.Lifetime) map[string]any {
	if l.Fixed {
		return nil
	}
	return map[string]any{"server.lifetime.max": l.Default}
}

// otherAlgorithms is one fewer where there are several, else one more.
func otherAlgorithms(list []string) []string {
	if len(list) > 1 {
		return list[:len(list)-1]
	}
	if list[0] == "EdDSA" {
		return []string{list[0], "ES256"}
	}
	return []string{list[0], "EdDSA"}
}

// answers changes status, code and description of each answer, as far as the
// floor leaves a choice.
func answers(d *dialect.Dialect) []change {
	var list []change
	for _, f := range oauth.Failures() {
		if !d.Meets(f) {
			continue
		}
		a, field := d.Answer(f), "server.errors."+string(f)
		rare := slices.Contains([]oauth.Failure{oauth.FailureTooManyAttempts, oauth.FailureUnavailable, oauth.FailureServer}, f)
		if f == oauth.FailureCredentialsConflict {
			other := dialect.Answer{Status: 401, Code: oauth.InvalidClient, Description: a.Description}
			if a.Status == 401 {
				other.Status, other.Code = 400, oauth.InvalidRequest
			}
			list = append(list, change{field: field, from: a, to: []any{other}})
			continue
		}
		list = append(list,
			change{field: field + ".status", from: a.Status, to: []any{a.Status + 10}, rare: rare},
			change{field: field + ".code", from: a.Code, to: []any{a.Code + "_x"}, rare: rare},
			change{field: field + ".description", from: a.Description, to: []any{"mutant: " + a.Description}, rare: rare})
	}
	return list
}

// bindings changes each field of each binding; a claim follows its kind.
func bindings(d *dialect.Dialect) []change {
	var list []change
	for i, b := range d.Server.Scope.Bindings {
		field := fmt.Sprintf("server.scope.bindings[%d]", i)
		follow := map[string]any{}
		for j, c := range d.Server.Claims {
			if string(c.From) == "binding:"+b.Kind {
				follow[fmt.Sprintf("server.claims[%d].from", j)] = string(c.From) + "x"
			}
		}
		list = append(list,
			change{field: field + ".pattern", from: b.Pattern, to: []any{"x" + b.Pattern}},
			change{field: field + ".kind", from: b.Kind, to: []any{b.Kind + "x"}, also: follow})
		if len(follow) == 0 { // else one id is all that the claim can hold
			list = append(list, change{field: field + ".max", from: b.Max, to: []any{b.Max + 1}})
		}
	}
	return list
}

// neverEmpty reports whether a claim always has a value, so that nothing can
// tell what would become of it without one.
func neverEmpty(d *dialect.Dialect, from dialect.ClaimSource) bool {
	switch from {
	case dialect.ClaimClientID, dialect.ClaimAudience, dialect.ClaimEnvironment, dialect.ClaimTier:
		return true
	case dialect.ClaimScope:
		return d.Wire.Scope.Presence == dialect.Required
	}
	return false
}

// claims changes each field of each claim, the list written out as a whole.
func claims(d *dialect.Dialect) []change {
	claims, list := d.Server.Claims, []change(nil)
	with := func(field string, i int, edit func(*dialect.Claim)) {
		changed := slices.Clone(claims)
		edit(&changed[i])
		entries := make([]map[string]string, len(changed))
		for j, c := range changed {
			entries[j] = map[string]string{"name": c.Name, "empty": string(c.Empty)}
			if c.Value != "" {
				entries[j]["value"] = c.Value
			} else {
				entries[j]["from"] = string(c.From)
			}
		}
		list = append(list, change{field: "server.claims", from: fmt.Sprintf("[%d].%s", i, field), to: []any{entries}})
	}
	for i, c := range claims {
		with("name", i, func(c *dialect.Claim) { c.Name += "_x" })
		if c.Value != "" {
			with("value", i, func(c *dialect.Claim) { c.Value += "x" })
			continue
		}
		with("from", i, func(c *dialect.Claim) {
			if c.From == dialect.ClaimEnvironment {
				c.From = dialect.ClaimClientID
			} else {
				c.From = dialect.ClaimEnvironment
			}
		})
		if neverEmpty(d, c.From) {
			continue
		}
		with("empty", i, func(c *dialect.Claim) {
			if c.Empty == dialect.Omit {
				c.Empty = dialect.Null
			} else {
				c.Empty = dialect.Omit
			}
		})
	}
	return list
}

// others are the values that differ from the present one, in the order of preference.
func others[T ~string](present T, values ...T) []any {
	var list []any
	for _, v := range values {
		if !strings.EqualFold(string(v), string(present)) {
			list = append(list, string(v))
		}
	}
	return list
}
