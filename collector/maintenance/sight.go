package maintenance

import (
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Verdict is whether an agreement will count a window as planned time.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Counts  Verdict = "counts"         // all of it that lies in agreed time
	Partly  Verdict = "counts_in_part" // the cap ends inside it
	TooLate Verdict = "too_late"       // for the notice
	NoCap   Verdict = "no_cap_left"
	Outside Verdict = "outside_agreed_time"
	Measure Verdict = "counts_as_measured" // the agreement excludes no planned time
)

// Sight is what one agreement version makes of one window.
type Sight struct {
	availability.Foresight
	Service string
	Verdict Verdict
}

// Outlook is what will become of a plan, should it be approved at At.
type Outlook struct {
	At      time.Time
	Windows []Window // all of them
	Sights  []Sight  // of the first maxForeseen windows; none: no agreement is touched
}

// Fine tells whether every agreement will count every window looked at.
func (o *Outlook) Fine() bool {
	for i := range o.Sights {
		if v := o.Sights[i].Verdict; v != Counts && v != Outside {
			return false
		}
	}
	return true
}

// late tells whether a window misses the notice of an agreement.
func (o *Outlook) late() bool {
	for i := range o.Sights {
		if o.Sights[i].Verdict == TooLate {
			return true
		}
	}
	return false
}

func sightOf(f availability.Foresight) Sight {
	s := Sight{Foresight: f, Service: f.Agreement.Service, Verdict: Counts}
	switch a := f.Agreement; {
	case f.Agreed == 0:
		s.Verdict = Outside
	case a.Policies.Planned == availability.AsDown:
		s.Verdict = Measure
	case !f.InTime:
		s.Verdict = TooLate
	case a.Cap != nil && f.Counts == 0 && f.Left == 0:
		s.Verdict = NoCap
	case a.Cap != nil && f.Counts < f.Agreed && f.Left < f.Agreed:
		s.Verdict = Partly
	}
	return s
}

// Sentences say it for a reader: the verdict, and what else is to be known.
func (s *Sight) Sentences(b *words.Book, at time.Time) []string {
	a := s.Agreement
	zone := a.Zone
	var out []string
	switch s.Verdict {
	case Counts:
		out = append(out, b.T("sight.counts", b.Millis(s.Agreed)))
	case Partly:
		out = append(out, b.T("sight.part", b.Millis(s.Counts), b.Millis(s.Agreed)))
	case TooLate:
		given := max(0, s.Deadline+a.Notice-at.UnixMilli())
		out = append(out, b.T("sight.late", b.Millis(a.Notice), b.Millis(given/60_000*60_000)))
	case NoCap:
		out = append(out, b.T("sight.cap"))
	case Outside:
		out = append(out, b.T("sight.outside"))
	case Measure:
		out = append(out, b.T("sight.measured"))
	}
	if a.Cap != nil {
		out = append(out, b.T("sight.left", b.Millis(s.Left), b.Millis(a.Cap.Length), b.T("sight.per."+a.Cap.Per.String())))
	}
	if !s.Direct && (s.Verdict == Counts || s.Verdict == Partly) {
		out = append(out, b.T("sight.indirect"))
	}
	if s.InTime && a.Notice > 0 && s.Verdict != Outside && s.Verdict != Measure {
		out = append(out, b.T("sight.deadline", words.Instant(time.UnixMilli(s.Deadline), zone)))
	}
	if s.Displace > 0 {
		out = append(out, b.T("sight.displace", b.Millis(s.Displace)))
	}
	return out
}
