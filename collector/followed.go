package collector

import (
	"context"
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// followed gives the raw facts that figures are computed from. What a
// component's selector finds in the store from before it was loaded is none of
// them: the past does not change because the catalogue did.
type followed struct{ c *Collector }

// Facts gives the facts with from <= time < to, in order of time; of those
// that were known at asOf where that is not 0. All in Unix ms.
func (l followed) Facts(ctx context.Context, from, to, asOf int64, each func(availability.Fact) error) error {
	if asOf != 0 {
		known, err := l.c.fold.KnownStreaks(ctx, asOf)
		if err != nil {
			return err
		}
		by := byObserver(known)
		return l.c.series.Facts(ctx, from, min(to, asOf), func(f availability.Fact) error {
			if !among(by[[2]string{f.Component, f.Observer}], &f) {
				return nil
			}
			return each(f)
		})
	}
	var selecting []string
	for _, c := range l.c.agreed().Components {
		if c.Series != nil {
			selecting = append(selecting, c.Name)
		}
	}
	if len(selecting) == 0 {
		return l.c.series.Facts(ctx, from, to, each)
	}
	folded, err := l.c.fold.Streaks(ctx, selecting, from, to)
	if err != nil {
		return err
	}
	by := byObserver(folded)
	selected := map[string]bool{}
	for _, name := range selecting {
		selected[name] = true
	}
	return l.c.series.Facts(ctx, from, to, func(f availability.Fact) error {
		if selected[f.Component] && !among(by[[2]string{f.Component, f.Observer}], &f) {
			return nil
		}
		return each(f)
	})
}

func byObserver(streaks map[string][]availability.Streak) map[[2]string][]availability.Streak {
	by := map[[2]string][]availability.Streak{}
	for name, of := range streaks {
		for _, s := range of {
			by[[2]string{name, s.Observer}] = append(by[[2]string{name, s.Observer}], s)
		}
	}
	return by
}

// among tells whether the fact is one of those the streaks, in order, were made of.
func among(streaks []availability.Streak, f *availability.Fact) bool {
	i := sort.Search(len(streaks), func(i int) bool { return streaks[i].Last >= f.At })
	return i < len(streaks) && streaks[i].First <= f.At && streaks[i].State == f.State
}
