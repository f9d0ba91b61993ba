package ratelimit

// sampled is how many entries are looked at for one to give up.
const sampled = 16

// makeRoom deletes an entry of a table that holds limit entries: of a few taken
// at random the one that weighs least. What was sprayed once goes before what a
// limit has caught, so spraying does not wash a limit away (D-14).
func makeRoom[K comparable, V any](table map[K]V, limit int, weight func(V) int) {
	if len(table) < limit {
		return
	}
	var worst K
	least, seen := 0, 0
	for k, v := range table { // Go begins at a random place
		if w := weight(v); seen == 0 || w < least {
			worst, least = k, w
		}
		if seen++; seen == sampled || least == 0 {
			break
		}
	}
	delete(table, worst)
}
