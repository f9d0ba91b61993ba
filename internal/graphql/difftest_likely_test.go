package graphql_test

import "slices"

// likely guesses whether a field passes where it stands, so that operations are
// refused for one thing and not for ten. It decides nothing.
func (w *writer) likely(t *definition, f *field) bool {
	demands := slices.Concat(t.demand, f.demand, f.typ.base().demand)
	types := slices.Concat([]*definition{t}, t.ifaces, f.typ.base().possible())
	for _, o := range types {
		demands = append(demands, o.demand...)
		for _, i := range o.ifaces {
			demands = append(demands, i.demand...)
		}
	}
	for _, v := range f.typ.base().values {
		demands = append(demands, v.demand...)
	}
	if !demands.met(w.g) || len(t.demand)+len(f.demand) == 0 && len(t.ifaces) == 0 {
		return false
	}
	n, root := name(f, values{}), t == w.m.query || t == w.m.mutation
	if n.undeclared && !f.unscoped && (root || !f.typ.base().scopedOnly()) || f.whole && slices.ContainsFunc(f.kinds, func(k string) bool { return !w.g.all(k) }) {
		return false
	}
	if f.typ.base().leaf() {
		return f.unscoped || f.whole || t.unscoped || len(t.scopings()) > 0 || len(n.kinds) > 0
	}
	for _, o := range f.typ.base().possible() {
		for _, s := range o.scopings() {
			if !w.g.all(s.kind) && !slices.Contains(n.kinds, s.kind) && (root || !f.unscoped) && !f.checkable {
				return false
			}
		}
	}
	return true
}
