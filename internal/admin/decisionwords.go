package admin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// refusalWords says what a reason of a recorded refusal means. What was in the call is not
// recorded: no value is named.
func refusalWords(reason guard.Reason) string {
	words := cmp.Or(recordedWords()[reason], documentWords(reason))
	if words == "" {
		return string(reason)
	}
	return words + " (" + string(reason) + ")"
}

func recordedWords() map[guard.Reason]string {
	return map[guard.Reason]string{
		guard.TokenMissing:    "it came without a token",
		guard.TokenMalformed:  "it had no single well-formed Authorization header",
		guard.TokenInvalid:    "its token is worth nothing there; the log of the server says why",
		guard.TooManyFailures: "too many bad tokens came from its source",
		guard.RateLimited:     "it was over its limit in that minute",
		guard.Stale:           "it could not be judged then; the log of the server says why",
		guard.Unavailable:     "it could not be judged then; the log of the server says why",

		guard.EndpointDisabled: "an endpoint that the rule needs was not enabled for the tenant",
		guard.ScopeMissing:     "a scope that the rule needs was not in the token, or not held any more",
		guard.ActionMissing:    "no policy of the caller held an action that it needs",
		guard.ResourceOutside:  "it touched a resource that the caller may not reach",
		guard.RoleUnknown:      "the API knows no such role",

		guard.WrongHost:      "no API is served at that host",
		guard.NoAPI:          "no API is served at that path",
		guard.NoRoute:        "no rule of the API lets anybody pass there",
		guard.PathAmbiguous:  "its path, or its query, can be read in two ways",
		guard.QueryAmbiguous: "its path, or its query, can be read in two ways",
		guard.MethodOverride: "it would give its method another meaning",
		guard.UpgradeRefused: "its rule lets it change to no other protocol",
		guard.QueryRefused:   "a GraphQL call has no query string",
		guard.Parameter:      "a parameter that the rule reads was not there exactly once",
		guard.BodyType:       "the rule reads the body, which was of another type",
		guard.BodyMalformed:  "its body could not be read",
		guard.BodyTooLarge:   "its body was too large",
		guard.EventRefused:   "its body held something that is no event",
	}
}

// productWords says why a product's own event is there (ARB-18).
func productWords(e *domain.Entry) string {
	text := "it was kept: who sent it held the action " + domain.EventActionPrefix + string(e.Action)
	if e.Reason != "" {
		text += "; that something was refused is the product's word"
	}
	return text
}

// eventsTold says which events a client may tell of, where it is not recorded which it told of.
func (o *objects) eventsTold() string {
	var names []string
	for _, p := range o.policies {
		if !slices.Contains(o.client.Policies, p.Name) || !o.mayHold(p.Name) {
			continue
		}
		for action := range p.Actions {
			if name, ok := strings.CutPrefix(action, domain.EventActionPrefix); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	held := "of none"
	if len(names) > 0 {
		held = "of " + strings.Join(slices.Compact(names), ", ") + " only"
	}
	return "which events it told of: the body is not recorded; each needs the action " + domain.EventActionPrefix + "NAME, and the client may now tell " + held
}
