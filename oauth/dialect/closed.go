package dialect

import "reflect"

// The algorithms that a dialect may name (RFC 7518 §3.1, RFC 8037 §3.1).
const (
	es256 = "ES256"
	edDSA = "EdDSA"
	rs256 = "RS256"
	ps256 = "PS256"
	hs256 = "HS256"
)

// closed lists what a field of a closed set may hold, or is nil for any other.
func closed(v reflect.Value) []string {
	switch v.Interface().(type) {
	case Encoding:
		return texts(Form, JSON, Multipart)
	case Placement:
		return texts(BasicOrBody, Body, Basic, BasicOverBody, BasicAndBody)
	case Presence:
		return texts(Optional, Required, None)
	case ResponseSource:
		return texts(FromAccessToken, FromTokenType, FromExpiresIn, FromScope)
	case ValueType:
		return texts(String, Number)
	case When:
		return texts(Always, Changed)
	case Challenge:
		return texts(BasicUsed, AlwaysChallenge)
	case OmittedScope:
		return texts(AllAssigned, NoScope)
	case Empty:
		return texts(Omit, Null)
	case PartnerClients:
		return texts(PartnersAllowed, PartnersRefused)
	case Ask:
		return texts(AskScopeBinding, AskAudience, AskPolicies, AskResourceScope, AskTier)
	}
	return nil
}

func texts[T ~string](values ...T) []string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = string(v)
	}
	return s
}
