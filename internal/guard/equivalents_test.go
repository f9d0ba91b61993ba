package guard_test

// equivalent is a mutant that changes nothing anybody could see, and why.
type equivalent struct {
	in, text, to string
	nth          int // of those that are alike in the function; zero: the first
	why          string
	found        bool
}

func excused(m mutant) bool {
	for _, e := range equivalents {
		if e.in == m.in && e.text == m.text && e.to == m.to && max(1, e.nth) == m.nth {
			e.found = true
			return true
		}
	}
	return false
}

var equivalents = []*equivalent{
	// What is only faster, or dearer but counted.
	{in: "underscored", text: `!strings.ContainsAny(name, ". [")`, to: "false", why: "what has none of them stays as it is"},
	{in: "bodyType", text: `values[0] == "application/json"`, to: "false", why: "it is parsed like any other"},
	{in: "loader.meaning", text: "slots", to: "true", why: "arguments are looked at in which there is nothing to find"},
	{in: "watched", text: "a.kind >= 0 || a.child || len(a.wants) > 0 || a.enum != nil || (a.opaque && !a.exempt) || (a.object != nil && a.object.watched)", to: "true",
		why: "values are looked at in which there is nothing to find"},
	{in: "around.same", text: "a.covered == b.covered && a.chosen == b.chosen && a.checkable == b.checkable && len(a.flow)+len(b.flow) == 0", to: "false",
		why: "equal places are judged each by itself"},
	{in: "judge.spend", text: "j.refusal == nil", to: "true", why: "judging goes on to the end of the field; the refusal stays"},
	{in: "judge.pin", text: "!p.args.hasVariable()", to: "false", why: "what needs no variables is found out for each request"},
	{in: "stands.has", text: "slices.Contains(list, in)", to: "false", why: "equal places are judged each by itself"},
	{in: "stands.has", text: "ok", to: "false", why: "equal places are judged each by itself"},
	{in: "sameLevel", text: "a.in == b.in && len(a.set) == len(b.set) && &a.set[0] == &b.set[0]", to: "false", why: "no shape is shared"},
	{in: "call.overtaken", text: "c.body == nil", to: "false", why: "a call without a body is judged once more, and spends nothing again"},
	{in: "call.overtaken", text: "!known || client != c.Client || snap.View() != c.place.View || snap.Now().Sub(c.now) >= time.Second", to: "true",
		why: "every call with a body is judged once more, and spends nothing again"},

	// What another check makes sure of.
	{in: "decodeUnreserved", text: "err != nil", to: "false", why: "each escape was read above; Go's reader finds no other"},
	{in: "fieldRule.pinnable", text: `f.undeclared == ""`, to: "true",
		why: "pin.resolve lets a field with an undeclared argument pin nothing: all of each kind is needed"},
	{in: "Plan.prepareCheck", text: "r != nil", to: "false", nth: 2, why: "no document is known whose hidden aliases are not valid where it is"},
	{in: "sameLevel", text: "len(a.set) == len(b.set)", to: "true", why: "selection sets are whole: with one first selection they are one"},
	{in: "call.verifyToken", text: "c.Issuer == nil", to: "false", why: "the verifier of an API takes tokens of its issuers alone"},
	{in: "Guard.Alive", text: "err != nil", to: "false", why: "there are no keys then, so not this one"},
	{in: "Guard.Alive", text: "!ok", to: "false", nth: 2, why: "a key that is not there has the identity of none"},
	{in: "ofEngine", text: "!ok", to: "false", why: "the engine returns no other errors"},
	{in: "GraphQLCall.CheckAnswer", text: "err != nil", to: "false", why: "each answer of the array is read strictly by itself"},
	{in: "GraphQLCall.CheckAnswer", text: "err != nil", to: "false", nth: 2, why: "what is no array has no answers, and a batch wants one at least"},
	{in: "hidesSlash", text: "u.EscapedPath() != u.RawPath", to: "true", why: "an escaped slash that stays one is refused by policy.Normalise"},
	{in: "integer", text: `digits == ""`, to: "false", why: "it is asked of JSON numbers, which have a digit"},
	{in: "integer", text: `digits[0] == '0' && text != "0"`, to: "false", why: "of JSON numbers only -0 is so, which value.id refuses"},
}
