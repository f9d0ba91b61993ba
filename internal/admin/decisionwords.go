package admin

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// refusalWords says what a reason of a recorded refusal means. What was in the call is not
// recorded: no value is named.
func refusalWords(reason guard.Reason) string {
	words := tokenRefusalWords(reason)
	for _, more := range []func(guard.Reason) string{rightsRefusalWords, requestRefusalWords, documentWords} {
		if words == "" {
			words = more(reason)
		}
	}
	if words == "" {
		return string(reason)
	}
	return words + " (" + string(reason) + ")"
}

func tokenRefusalWords(reason guard.Reason) string {
	switch reason {
	case guard.TokenMissing:
		return "it came without a token"
	case guard.TokenMalformed:
		return "it had no single well-formed Authorization header"
	case guard.TokenInvalid:
		return "its token is worth nothing there; the log of the server says why"
	case guard.TooManyFailures:
		return "too many bad tokens came from its source"
	case guard.RateLimited:
		return "it was over its limit in that minute"
	case guard.Stale, guard.Unavailable:
		return "it could not be judged then; the log of the server says why"
	}
	return ""
}

func rightsRefusalWords(reason guard.Reason) string {
	switch reason {
	case guard.EndpointDisabled:
		return "an endpoint that the rule needs was not enabled for the tenant"
	case guard.ScopeMissing:
		return "a scope that the rule needs was not in the token, or not held any more"
	case guard.ActionMissing:
		return "no policy of the caller held an action that it needs"
	case guard.ResourceOutside:
		return "it touched a resource that the caller may not reach"
	case guard.RoleUnknown:
		return "the API knows no such role"
	}
	return ""
}

func requestRefusalWords(reason guard.Reason) string {
	switch reason {
	case guard.WrongHost:
		return "no API is served at that host"
	case guard.NoAPI:
		return "no API is served at that path"
	case guard.NoRoute:
		return "no rule of the API lets anybody pass there"
	case guard.PathAmbiguous, guard.QueryAmbiguous:
		return "its path, or its query, can be read in two ways"
	case guard.MethodOverride:
		return "it would give its method another meaning"
	case guard.UpgradeRefused:
		return "its rule lets it change to no other protocol"
	case guard.QueryRefused:
		return "a GraphQL call has no query string"
	case guard.Parameter:
		return "a parameter that the rule reads was not there exactly once"
	case guard.BodyType:
		return "the rule reads the body, which was of another type"
	case guard.BodyMalformed:
		return "its body could not be read"
	case guard.BodyTooLarge:
		return "its body was too large"
	case guard.EventRefused:
		return "its body held something that is no event"
	}
	return ""
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
