package evaluate_test

import (
	"math/big"
	"slices"
)

// weighed is what functions and users make of a service.
type weighed struct {
	users                int64
	byFunctions, byUsers *big.Rat
	lost                 *big.Rat // ms x users
	functions            []weighedFunction
}

type weighedFunction struct {
	figures
	name   string
	weight *big.Rat
	users  int64
	lost   *big.Rat
}

// users is nil for none.
func users(n int64) *big.Rat {
	if n == 0 {
		return nil
	}
	return rat(n)
}

// weigh works out the functions of the service; of gives the figures of one,
// or of the service for "".
func (f *figures) weigh(s *service, of func(fn string) figures) {
	f.users = s.users
	up, all := map[bool]*big.Rat{false: rat(0), true: rat(0)}, map[bool]*big.Rat{false: rat(0), true: rat(0)}
	add := func(byUsers bool, w *big.Rat, g *figures) {
		up[byUsers] = sum(up[byUsers], times(w, g.u))
		all[byUsers] = sum(all[byUsers], times(w, sum(g.u, g.d)))
	}
	for _, fn := range s.functions {
		w := weighedFunction{figures: of(fn.name), name: fn.name, weight: share(orElse(fn.weight, "1")), users: fn.users}
		if w.users == 0 {
			w.users = s.users
		}
		add(false, w.weight, &w.figures)
		if w.users > 0 {
			add(true, rat(w.users), &w.figures)
			w.lost = times(rat(w.users), w.d)
		}
		for i := range w.outages {
			w.outages[i].lost = lost(w.users, w.outages[i].down)
		}
		f.functions = append(f.functions, w)
	}
	if s.users > 0 {
		f.lost = times(rat(s.users), f.d)
		if len(s.functions) == 0 {
			add(true, rat(s.users), f)
		}
	}
	f.byFunctions, f.byUsers = over(up[false], all[false]), over(up[true], all[true])
	for i := range f.outages {
		o := &f.outages[i]
		o.lost = lost(s.users, o.down)
		for _, fn := range f.functions {
			if slices.ContainsFunc(fn.outages, func(other listed) bool {
				return (other.to == none || other.to > o.from) && (o.to == none || o.to > other.from)
			}) {
				o.functions = append(o.functions, fn.name)
			}
		}
	}
}

func lost(users, down int64) *big.Rat {
	if users == 0 {
		return nil
	}
	return rat(users * down)
}
