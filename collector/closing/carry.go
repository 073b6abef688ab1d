package closing

import (
	"slices"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// carry gives a month that is worked out again those values of the version
// that stands whose raw samples have aged out since, all or the first of them:
// that nobody can measure them as a whole any longer is no difference.
func carry(stands *Frozen, version int64, now *Frozen) {
	for i := range now.Results {
		r := &now.Results[i]
		for k := range r.Explanation.Figures.Indicators {
			ind := &r.Explanation.Figures.Indicators[k]
			if ind.Basis == nil || ind.Basis.Reason != availability.AgedOut && !ind.Basis.Aged {
				continue
			}
			old := indicatorOf(stands, &r.Explanation.Figures, ind)
			if old == nil || old.Exact == nil {
				continue
			}
			*ind = *old
			basis := *old.Basis
			if basis.Reason != availability.CarriedForward {
				basis.Reason, basis.Version = availability.CarriedForward, version
			}
			ind.Basis = &basis
			r.Indicators[k].Exact = old.Exact
		}
	}
}

// indicatorOf is what a frozen month has of an agreement version's indicator;
// nil where it has none, or was frozen before such were measured.
func indicatorOf(frozen *Frozen, f *availability.Figures, ind *availability.IndicatorResult) *availability.IndicatorResult {
	for i := range frozen.Results {
		old := &frozen.Results[i].Explanation.Figures
		if old.Service != f.Service || old.Agreement != f.Agreement || old.Version != f.Version {
			continue
		}
		at := slices.IndexFunc(old.Indicators, func(o availability.IndicatorResult) bool {
			return o.Name == ind.Name && o.Kind == ind.Kind && o.Basis != nil
		})
		if at >= 0 {
			return &old.Indicators[at]
		}
	}
	return nil
}

// unmeasured are the names of differences that only say that a month was
// frozen by a program that did not measure an indicator yet. What a person
// enters for it is a difference all the same.
func unmeasured(old, now *availability.Figures) map[string]bool {
	out := map[string]bool{}
	for i := range old.Indicators {
		o := &old.Indicators[i]
		if o.Basis != nil || o.Kind.Computed() {
			continue
		}
		entered := slices.ContainsFunc(now.Indicators, func(n availability.IndicatorResult) bool {
			return n.Name == o.Name && n.Kind == availability.KindManual && n.Exact != nil
		})
		if !entered {
			out[indicatorName(o)], out[indicatorValue(o)] = true, true
		}
	}
	return out
}

func indicatorName(i *availability.IndicatorResult) string  { return "indicator " + i.Name }
func indicatorValue(i *availability.IndicatorResult) string { return indicatorName(i) + ", value" }
