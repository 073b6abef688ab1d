package availability

import (
	"math/big"
	"time"
)

// Allowance is what an agreement version lets happen in one calendar month of
// its zone, as far as the version is in force in it.
type Allowance struct {
	Month  time.Time // its first instant, in the agreement's zone
	Agreed int64     // ms
	Down   *big.Rat  // s, exact; nil: there is no target of availability
}

// Allowed is the allowance of the month that has at (Unix ms) in it: by the
// first target of availability, as the budget of the figures is.
func (c *Catalogue) Allowed(a *Agreement, at int64) (Allowance, error) {
	first, next := Month.begin(localDate(at, a.Zone))
	span, force := Span{first.Begin(a.Zone), next.Begin(a.Zone)}, a.inForce()
	out := Allowance{Month: time.UnixMilli(span.From).In(a.Zone)}
	span = Span{max(span.From, force.From), min(span.To, force.To)}
	if span.From < span.To {
		agreed, err := c.agreedTime(a.Calendar, a.Zone, span.From, span.To)
		if err != nil {
			return out, err
		}
		out.Agreed = agreed.Length()
	}
	for _, i := range a.Indicators {
		if i.Kind == KindAvailability && i.Target != nil {
			out.Down = whole(1).less(numberOf(i.Target)).times(whole(out.Agreed).seconds()).rat()
			break
		}
	}
	return out, nil
}
