package jwt

// VerifySignature returns the payload of a compact JWS (RFC 7515 §3.1) that one of the keys
// signed, with the algorithm that it is bound to, and that is of the type given. It is for
// signed statements that are no tokens: nothing in the payload is looked at. The errors are
// those of Verify.
func VerifySignature(text, typ string, keys Keys) ([]byte, error) {
	p, err := parse(text)
	if err != nil {
		return nil, err
	}
	key, err := keys.choose(p.header)
	if err != nil {
		return nil, err
	}
	if typ == "" || !sameType(p.header.Type, typ) {
		return nil, ErrType
	}
	if err := checkSignature(text, key, p.payload); err != nil {
		return nil, err
	}
	return p.payload, nil
}
