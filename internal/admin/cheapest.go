package admin

import (
	"maps"
	"slices"
)

// maxPicks bounds how long is looked for what is cheapest; after that it is the best so far.
const maxPicks = 100_000

// cheapest takes one set out of each list, so that all together cost least.
func cheapest(lists [][][]string, price func(string) int) []string {
	p := picking{lists: lists, price: make(map[string]int), left: maxPicks}
	for _, list := range lists {
		for _, set := range list {
			for _, word := range set {
				p.price[word] = price(word)
			}
		}
	}
	p.pick(0, map[string]bool{}, 0)
	return slices.Sorted(maps.Keys(p.best))
}

type picking struct {
	lists [][][]string
	price map[string]int
	best  map[string]bool // nil: none yet
	cost  int
	left  int
}

func (p *picking) pick(i int, have map[string]bool, cost int) {
	if p.best != nil && (cost >= p.cost || p.left <= 0) {
		return
	}
	p.left--
	if i == len(p.lists) {
		p.best, p.cost = maps.Clone(have), cost
		return
	}
	for _, set := range p.lists[i] {
		var added []string
		more := cost
		for _, word := range set {
			if !have[word] {
				have[word] = true
				added = append(added, word)
				more += p.price[word]
			}
		}
		p.pick(i+1, have, more)
		for _, word := range added {
			delete(have, word)
		}
		if len(added) == 0 {
			return // nothing is cheaper than what is there already
		}
	}
}
