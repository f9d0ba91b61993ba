package policy

import "slices"

// Whole is what a call of the route has to reach beside what its parameters name: a route
// that may change something and names no resource needs all of every kind that the routes of
// its API name (RULES "Guard, REST").
func (r *Route) Whole(of []Route) []Resource {
	if !r.Mutating() || r.namesResource() {
		return nil
	}
	return wholeOf(of)
}

func (r *Route) namesResource() bool {
	return slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.Kind != "" })
}
