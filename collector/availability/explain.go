package availability

import (
	"math/big"
	"sort"
	"time"
)

// Explanation is why the figures of one agreement version and period are what
// they are: what became of each millisecond, the policies that decided it, and
// the streaks of facts it rests on. Evaluating Facts again gives Figures.
type Explanation struct {
	Figures  Figures    `json:"figures"`
	Elapsed  int64      `json:"elapsed_ms"`
	Sum      []Term     `json:"sum"`   // in the order of the cuts; adds up to Elapsed
	Share    Share      `json:"share"` // availability as the fraction it is
	Rows     []Row      `json:"rows"`  // the elapsed period, without holes
	Policies Agreed     `json:"policies"`
	Calendar []InUse    `json:"calendar"` // its versions that hold in the period, in order
	Offsets  []Offset   `json:"offsets"`  // of the agreement's zone in the period
	Streaks  []Evidence `json:"facts"`    // by component, observer and time

	asOf  int64
	marks map[streakID][]int64 // instants inside streaks that an outage names
}

type streakID struct {
	component, observer string
	first               int64
}

// Term is what one cut took, or one state came to, of the elapsed period.
type Term struct {
	Of    string `json:"of"` // "cut" or "state"
	Name  string `json:"name"`
	MS    int64  `json:"ms"`
	Total int64  `json:"total_ms"` // of this and all terms before it
}

// Share is availability as exact fractions, in ms and without a unit; nil is
// no value. U + D = K, and A = U / K = 1 - D / K.
type Share struct {
	Up           *big.Rat `json:"u_ms"`
	Down         *big.Rat `json:"d_ms"`
	Known        *big.Rat `json:"k_ms"`
	Unknown      *big.Rat `json:"x_ms"` // what the policy for unknown time left as it is
	Availability *big.Rat `json:"a"`
	Lost         *big.Rat `json:"d_by_k"`
}

// Row is one span of the elapsed period and what became of it.
type Row struct {
	N     int      `json:"row"` // 1, 2, 3 …
	From  Instant  `json:"from"`
	To    Instant  `json:"to"`
	MS    int64    `json:"ms"`
	Cut   Cut      `json:"cut"`   // "": it counts
	State *State   `json:"state"` // of what counts
	Why   []string `json:"why"`   // changes or adjustments that took or made it
}

// Agreed are the values of the policies, as the catalogue writes them; times in ms.
type Agreed struct {
	Zone            string `json:"zone"`
	Calendar        string `json:"calendar"`
	Planned         string `json:"planned"`
	Unknown         string `json:"unknown"`
	Degraded        string `json:"degraded"`
	BeforeExistence string `json:"before_existence"`
	Notice          int64  `json:"notice_ms"`
	Cap             *int64 `json:"cap_ms"` // null: planned time is not limited
	CapPer          string `json:"cap_per,omitempty"`
	IgnoreBlips     int64  `json:"ignore_blips_ms"`
	MergeBlips      int64  `json:"merge_blips_ms"`
	CoverageLimit   string `json:"coverage_limit"` // a fraction
}

// InUse is a version of a calendar: it holds from that local date until the next one's.
type InUse struct {
	Version int    `json:"version"` // 1, 2, 3 … as the catalogue lists them
	From    string `json:"from"`    // "": from ever
}

// Offset is what local time is ahead of UTC from an instant on.
type Offset struct {
	From    Instant `json:"from"`
	Seconds int     `json:"utc_offset_s"`
}

// Evidence is a streak of facts the figures rest on.
type Evidence struct {
	Component string  `json:"component"`
	Observer  string  `json:"observer"`
	State     State   `json:"state"`
	First     Instant `json:"first"`
	Last      Instant `json:"last"`
	Count     int64   `json:"count"`
	MaxGap    int64   `json:"max_gap_ms"`
	Hold      *int64  `json:"hold_ms"` // how long the last fact holds; null: until the next one
	Until     Instant `json:"until"`   // it decided nothing from here on: another fact came, or it no longer held

	own int64 // as Streak.Hold
}

// Explain is Evaluate with the reasons, entry for entry.
func Explain(in Input) ([]Explanation, error) {
	e := newEvaluation(in)
	all := []Explanation{}
	err := e.each(func(v *view, p period) error {
		f, err := e.figures(v, p)
		if err != nil {
			return err
		}
		all = append(all, e.explain(v, p, f))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (e *evaluation) explain(v *view, p period, f Figures) Explanation {
	x := Explanation{Figures: f, Elapsed: max(0, p.end-p.from), Rows: []Row{}, Policies: agreed(v.agreement),
		Calendar: e.in.Catalogue.inUse(v.agreement, p.from, p.to), Offsets: offsets(v.agreement.Zone, p.from, p.to), asOf: e.in.AsOf}
	x.add(f.Pieces, v.agreement)
	x.rest(v, e.reach(v, p))
	x.mark(&f, v.agreement.Policies)
	return x
}

// add makes rows of the pieces, and the sums they come to.
func (x *Explanation) add(pieces []Piece, a *Agreement) {
	var t tally
	for i, p := range pieces {
		r := Row{N: i + 1, From: Instant{p.From, a.Zone}, To: Instant{p.To, a.Zone}, MS: p.Length(), Cut: p.Cut, Why: append([]string{}, p.Why...)}
		if p.Cut == NoCut {
			state := p.State
			r.State = &state
			t.state[state] += r.MS
		} else {
			t.cut[p.Cut] += r.MS
		}
		x.Rows = append(x.Rows, r)
	}
	total := int64(0)
	term := func(of, name string, ms int64) {
		total += ms
		x.Sum = append(x.Sum, Term{of, name, ms, total})
	}
	for c := CutCalendar; c <= CutAdjusted; c++ {
		term("cut", c.String(), t.cut[c])
	}
	for _, s := range []State{Up, Degraded, Down, Unknown} {
		term("state", s.String(), t.state[s])
	}
	counted := a.Policies.assumed(a.Policies.measured(t))
	x.Share = Share{Up: counted.up, Down: counted.down, Known: counted.known(), Unknown: counted.unknown,
		Availability: counted.availability(), Lost: ratio(counted.down, counted.known())}
}

func agreed(a *Agreement) Agreed {
	out := Agreed{Zone: a.Zone.String(), Calendar: a.Calendar, Planned: a.Policies.Planned.String(), Unknown: a.Policies.Unknown.String(),
		Degraded: a.Policies.Degraded.String(), BeforeExistence: a.Policies.BeforeExistence.String(), Notice: a.Notice,
		IgnoreBlips: a.IgnoreBlips, MergeBlips: a.MergeBlips, CoverageLimit: a.Limit().RatString()}
	if out.Calendar == "" {
		out.Calendar = Always
	}
	if a.Cap != nil {
		length := a.Cap.Length
		out.Cap, out.CapPer = &length, a.Cap.Per.String()
	}
	return out
}

// inUse are the versions of the agreement's calendar that hold in [from, to).
func (c *Catalogue) inUse(a *Agreement, from, to int64) []InUse {
	out := []InUse{}
	calendar, ok := c.Calendars[a.Calendar]
	if !ok {
		return out
	}
	for i := range calendar.Versions {
		each := &calendar.Versions[i]
		zone := a.Zone
		if each.Zone != nil {
			zone = each.Zone
		}
		holds, text := Span{-far, far}, ""
		if each.From != nil {
			holds.From, text = each.From.Begin(zone), each.From.String()
		}
		if i+1 < len(calendar.Versions) && calendar.Versions[i+1].From != nil {
			holds.To = calendar.Versions[i+1].From.Begin(zone)
		}
		if holds.within(from, to).Length() > 0 {
			out = append(out, InUse{i + 1, text})
		}
	}
	return out
}

// offsets are those of the zone in [from, to).
func offsets(zone *time.Location, from, to int64) []Offset {
	out := []Offset{}
	for t := from; t < to; {
		ahead, end := offsetAt(t, zone)
		if n := len(out); n == 0 || out[n-1].Seconds != int(ahead/1000) {
			out = append(out, Offset{Instant{t, zone}, int(ahead / 1000)})
		}
		t = end
	}
	return out
}

// reach is the time whose facts the figures depend on: from where the cap on
// planned time begins and the first outage that is still on in the period, or
// the last good fact before it, lies, to the end of the last outage; blips look
// a little beyond.
func (e *evaluation) reach(v *view, p period) Span {
	r := Span{p.from, max(p.from, p.end)}
	var near []stop
	for _, s := range v.stops {
		if s.From < p.end && (s.open || s.To >= p.from) {
			near = append(near, s)
			r = Span{min(r.From, s.From), max(r.To, s.To)}
		}
	}
	for _, hit := range v.impacts(near, e.in.FactBefore) {
		if hit.hasFact {
			r.From = min(r.From, hit.earliest)
		}
	}
	begin := r.From
	for i := range e.in.Catalogue.Agreements {
		a := &e.in.Catalogue.Agreements[i]
		if a.Number != v.agreement.Number || a.inForce().From >= p.to {
			continue
		}
		margin := max(a.IgnoreBlips, a.MergeBlips) + 1
		starts := (&view{agreement: a}).capStart(max(begin, a.inForce().From))
		r.From, r.To = min(r.From, starts-margin, begin-margin), max(r.To, r.To+margin)
	}
	return r
}

// rest lists the streaks of the tree's components that touch the span, and of
// each observer the one before and the one after.
func (x *Explanation) rest(v *view, r Span) {
	x.Streaks = []Evidence{}
	zone := v.agreement.Zone
	things := append([]thing{}, v.tree.things...)
	sort.Slice(things, func(i, j int) bool { return things[i].name < things[j].name })
	for _, each := range things {
		if each.seen == nil {
			continue
		}
		c := each.seen.component
		for _, list := range each.seen.observers {
			first := sort.Search(len(list), func(i int) bool { return list[i].Last >= r.From })
			last := sort.Search(len(list), func(i int) bool { return list[i].First >= r.To })
			for i := max(0, first-1); i < min(len(list), max(first, last)+1); i++ {
				s := list[i]
				out := Evidence{Component: s.Component, Observer: s.Observer, State: s.State, First: Instant{s.First, zone}, Last: Instant{s.Last, zone},
					Count: s.Count, MaxGap: s.MaxGap, own: s.Hold}
				lasts := c.hold(s.Hold)
				end := v.model.asOf
				if lasts < forever {
					out.Hold = &lasts
					end = min(end, s.Last+lasts)
				}
				if i+1 < len(list) {
					if next := list[i+1]; s.State == Down && next.State == Down || next.First < end {
						end = next.First // a gap between two down facts is down
					}
				}
				out.Until = Instant{end, zone}
				x.Streaks = append(x.Streaks, out)
			}
		}
	}
}

// mark notes the facts inside streaks that outages name as the last good one.
func (x *Explanation) mark(f *Figures, p Policies) {
	x.marks = map[streakID][]int64{}
	for _, o := range f.Outages {
		if o.Earliest == nil {
			continue
		}
		for i := range x.Streaks {
			s := &x.Streaks[i]
			if s.First.MS < o.Earliest.MS && o.Earliest.MS < s.Last.MS && p.isUp(s.State) && contains(o.Components, s.Component) {
				id := streakID{s.Component, s.Observer, s.First.MS}
				x.marks[id] = append(x.marks[id], o.Earliest.MS)
				break
			}
		}
	}
}

// Facts are the fewest facts that say the same as the streaks: the first and
// the last of each, the first holding until the last. They are what the
// evaluate command reads.
func (x *Explanation) Facts() []Fact {
	var out []Fact
	for i := range x.Streaks {
		s := &x.Streaks[i]
		at := append([]int64{s.First.MS}, x.marks[streakID{s.Component, s.Observer, s.First.MS}]...)
		if s.Last.MS > s.First.MS {
			at = append(at, s.Last.MS)
		}
		sort.Slice(at, func(i, j int) bool { return at[i] < at[j] })
		for k, t := range at {
			f := Fact{Component: s.Component, Observer: s.Observer, At: t, State: s.State, Received: t, Hold: s.own}
			if t >= x.asOf || k > 0 && t == at[k-1] {
				continue
			}
			for _, next := range at[k+1:] {
				if next > t {
					f.Hold = next - t
					break
				}
			}
			out = append(out, f)
		}
	}
	return out
}

// Behind are the streaks that decided the row, or left it unknown: of each
// observer those that held in it, and the ones next to it.
func (x *Explanation) Behind(r *Row) []Evidence {
	out := []Evidence{}
	for i := range x.Streaks {
		s := &x.Streaks[i]
		same := func(k int) bool {
			return k >= 0 && k < len(x.Streaks) && x.Streaks[k].Component == s.Component && x.Streaks[k].Observer == s.Observer
		}
		begin, end := s.First.MS, x.asOf
		if same(i + 1) {
			end = x.Streaks[i+1].First.MS
		}
		if begin < r.To.MS && end > r.From.MS || begin >= r.To.MS && s.Until.MS > begin && !same(i-1) {
			out = append(out, *s)
		}
	}
	return out
}
