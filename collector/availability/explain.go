package availability

import (
	"maps"
	"math/big"
	"slices"
	"sort"
	"time"
)

// Explanation is why the figures of one agreement version and period are what
// they are: what became of each millisecond, the policies that decided it, and
// the streaks of facts it rests on. Evaluating Facts again gives Figures.
type Explanation struct {
	Figures Figures `json:"figures"`
	Elapsed int64   `json:"elapsed_ms"`
	Sum     []Term  `json:"sum"`   // in the order of the cuts; adds up to Elapsed
	Share   Share   `json:"share"` // availability as the fraction it is
	Rows    []Row   `json:"rows"`  // the elapsed period, without holes
	// Functions are what the figures by functions and users are added up from.
	Functions []FunctionShare `json:"functions"`
	Policies  Agreed          `json:"policies"`
	Calendar  []InUse         `json:"calendar"` // its versions that hold in the period, in order
	Offsets   []Offset        `json:"offsets"`  // of the agreement's zone in the period
	Streaks   []Evidence      `json:"facts"`    // by component, observer and time
	Back      int64           `json:"looks_back_to_ms"`
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

// FunctionShare is what a function adds: weight x U to the sum above the line
// and weight x K below it; of figures by users, users stand for weight. Times
// are in ms.
type FunctionShare struct {
	Name   string   `json:"name"`
	Weight *big.Rat `json:"weight"`
	Users  *int64   `json:"users"` // null: it has no part in figures by users
	Up     *big.Rat `json:"u_ms"`
	Down   *big.Rat `json:"d_ms"`
	Known  *big.Rat `json:"k_ms"`
	Rows   []Row    `json:"rows"` // as those of the service; null: they are the very same, it has no tree of its own
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

	Own   int64   `json:"own_hold_ms"`        // as Streak.Hold: 0 as the component says, -1 not at all
	Named []int64 `json:"named_ms,omitempty"` // facts inside it that an outage names as the last good one
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
		Calendar: e.in.Catalogue.inUse(v.agreement, p.from, p.to), Offsets: offsets(v.agreement.Zone, p.from, p.to)}
	x.add(f.Pieces, v.agreement)
	reach, named := e.reach(v, p)
	views := append(e.concerned(v, p), e.explainFunctions(v, p, &x, &reach, named)...)
	x.Back = reach.From
	x.rest(views, v.agreement.Zone, reach, named)
	return x
}

// explainFunctions adds the functions of the service, and what those with a
// tree of their own rest on to reach and named. It gives their views.
func (e *evaluation) explainFunctions(v *view, p period, x *Explanation, reach *Span, named map[streakID][]int64) (views []*view) {
	x.Functions = []FunctionShare{}
	for i, exact := range x.Figures.Exact.Functions {
		f := &x.Figures.Functions[i]
		up, down := numberOf(exact.Up).times(whole(1000)), numberOf(exact.Down).times(whole(1000))
		share := FunctionShare{Name: f.Name, Weight: exact.Weight, Users: f.Users, Up: up.rat(), Down: down.rat(), Known: up.plus(down).rat()}
		x.Functions = append(x.Functions, share)
		fn, _ := v.service.function(f.Name)
		if fn.Needs == nil {
			continue
		}
		fv, err := e.viewOf(v.agreement, f.Name)
		if err != nil { // told by the figures already
			continue
		}
		if c, err := fv.cut(p.from, p.to); err == nil {
			if pieces, _, err := fv.pieces(c, p.from, max(p.from, p.end)); err == nil {
				x.Functions[i].Rows, _ = rowsOf(pieces, v.agreement.Zone)
			}
		}
		own, facts := e.reach(fv, p)
		*reach = Span{min(reach.From, own.From), max(reach.To, own.To)}
		for id, at := range facts {
			named[id] = append(named[id], at...)
		}
		views = append(views, e.concerned(fv, p)...)
	}
	return views
}

// rowsOf makes rows of the pieces, and adds them up.
func rowsOf(pieces []Piece, zone *time.Location) (rows []Row, t tally) {
	rows = []Row{}
	for i, p := range pieces {
		r := Row{N: i + 1, From: Instant{p.From, zone}, To: Instant{p.To, zone}, MS: p.Length(), Cut: p.Cut, Why: append([]string{}, p.Why...)}
		if p.Cut == NoCut {
			state := p.State
			r.State = &state
			t.state[state] += r.MS
		} else {
			t.cut[p.Cut] += r.MS
		}
		rows = append(rows, r)
	}
	return rows, t
}

// add makes rows of the pieces, and the sums they come to.
func (x *Explanation) add(pieces []Piece, a *Agreement) {
	var t tally
	x.Rows, t = rowsOf(pieces, a.Zone)
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
	x.Share = Share{Up: counted.up.rat(), Down: counted.down.rat(), Known: counted.known().rat(), Unknown: counted.unknown.rat(),
		Availability: counted.availability().rat(), Lost: counted.down.over(counted.known()).rat()}
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

// concerned are the views that have a say: the version's own, and those of the
// other versions of its number, by whose cuts an outage counts before the period.
func (e *evaluation) concerned(v *view, p period) []*view {
	out := []*view{v}
	for i := range e.in.Catalogue.Agreements {
		a := &e.in.Catalogue.Agreements[i]
		if a == v.agreement || a.Number != v.agreement.Number || a.inForce().From >= p.from {
			continue
		}
		if other, err := e.viewOf(a, v.function); err == nil { // a fault was told by the figures already
			out = append(out, other)
		}
	}
	return out
}

// reach is the time whose facts the figures depend on: from where the cap on
// planned time begins and the first outage that is still on in the period, or
// the last good fact before it, lies, to the end of the last outage; blips look
// a little beyond. named are those good facts.
func (e *evaluation) reach(v *view, p period) (r Span, named map[streakID][]int64) {
	r = Span{min(p.from, p.end), max(p.from, p.end)}
	var near []stop
	for _, s := range v.stops {
		if s.From < p.end && (s.open || s.To >= p.from) {
			near = append(near, s)
			r = Span{min(r.From, s.From), max(r.To, s.To)}
		}
	}
	begin, last := r.From, r.To
	named = map[streakID][]int64{}
	for _, hit := range v.impacts(near, e.in.FactBefore) {
		if hit.hasFact {
			r.From = min(r.From, hit.earliest)
			id := streakID{hit.of.Component, hit.of.Observer, hit.of.First}
			named[id] = append(named[id], hit.earliest)
		}
	}
	for _, other := range e.concerned(v, p) {
		a := other.agreement
		margin := max(a.IgnoreBlips, a.MergeBlips) + 1
		r = Span{min(r.From, begin-margin, other.capStart(max(begin, a.inForce().From))-margin), max(r.To, last+margin)}
	}
	// Unknown time ends no outage: that none is running shows in the last up
	// before it, where a correction to down lies further back.
	for i := min(v.seen.search(r.From), len(v.seen)-1); i >= 0; i-- {
		if seg := v.seen[i]; v.agreement.Policies.isUp(seg.State) {
			r.From = min(r.From, seg.To-1)
			break
		}
	}
	return Span{r.From, r.To + 1}, named
}

// rest lists the streaks of those components that are parts of the service in
// the span, as far as they touch it, and of
// each observer the one before and the one after.
func (x *Explanation) rest(views []*view, zone *time.Location, r Span, named map[streakID][]int64) {
	x.Streaks = []Evidence{}
	seen := map[string]*observed{}
	for _, v := range views {
		for i, each := range v.tree.things {
			if each.seen != nil && v.parts()[i].Meets(r.From, r.To) {
				seen[each.name] = each.seen
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		each := seen[name]
		c := each.component
		for _, list := range each.observers {
			first := sort.Search(len(list), func(i int) bool { return list[i].Last >= r.From })
			last := sort.Search(len(list), func(i int) bool { return list[i].First >= r.To })
			for i := max(0, first-1); i < min(len(list), max(first, last)+1); i++ {
				s := list[i]
				out := Evidence{Component: s.Component, Observer: s.Observer, State: s.State, First: Instant{s.First, zone}, Last: Instant{s.Last, zone},
					Count: s.Count, MaxGap: s.MaxGap, Own: s.Hold, Named: named[streakID{s.Component, s.Observer, s.First}]}
				lasts := c.Lasts(s.Hold, s.Last)
				end := x.Figures.AsOf.MS
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

// Facts are the fewest facts that say the same as the streaks from the instant
// on that the figures look back to: the first and the last of each, the first
// holding until the last. What holds at that instant is said there once. They
// are what the evaluate command reads.
func (x *Explanation) Facts() []Fact {
	var out []Fact
	for i := range x.Streaks {
		s := &x.Streaks[i]
		f := Fact{Component: s.Component, Observer: s.Observer, State: s.State, Hold: s.Own}
		if s.Last.MS < x.Back {
			if s.Until.MS > x.Back {
				f.At, f.Received = x.Back, x.Back
				if s.Hold != nil {
					f.Hold = max(1, s.Last.MS+*s.Hold-x.Back)
				}
				out = append(out, f)
			}
			continue
		}
		at := append([]int64{max(x.Back, s.First.MS), s.Last.MS}, s.Named...)
		slices.Sort(at)
		at = slices.Compact(at)
		for k, t := range at {
			f.At, f.Received, f.Hold = t, t, s.Own
			if k+1 < len(at) {
				f.Hold = at[k+1] - t
			}
			if t < x.Figures.AsOf.MS {
				out = append(out, f)
			}
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
		begin, end := s.First.MS, x.Figures.AsOf.MS
		if same(i + 1) {
			end = x.Streaks[i+1].First.MS
		}
		if begin < r.To.MS && end > r.From.MS || begin >= r.To.MS && s.Until.MS > begin && !same(i-1) {
			out = append(out, *s)
		}
	}
	return out
}
