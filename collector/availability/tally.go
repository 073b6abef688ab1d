package availability

import (
	"cmp"
	"fmt"
	"slices"
)

// Cut is what took a piece of the period out of the agreed time.
type Cut uint8

// The cuts in their order; NoCut is agreed time.
const (
	NoCut Cut = iota
	CutCalendar
	CutExistence
	CutPlanned
	CutAdjusted
)

// String is the cut's name, "" for none.
func (c Cut) String() string {
	return [...]string{"", "calendar", "existence", "planned", "adjusted"}[c]
}

// MarshalText writes the cut's name.
func (c Cut) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the cut's name.
func (c *Cut) UnmarshalText(text []byte) error {
	for each := NoCut; each <= CutAdjusted; each++ {
		if string(text) == each.String() {
			*c = each
			return nil
		}
	}
	return fmt.Errorf("%q is not a cut; it is calendar, existence, planned, adjusted or nothing", text)
}

// Piece is a part of the elapsed period and what became of it: the pieces of
// a period follow each other without holes, so that every second of a figure
// can be pointed at.
type Piece struct {
	Span
	Cut   Cut      // NoCut: it counts
	State State    // of what counts
	Why   []string // the changes or adjustments that took or made it
}

// tally is milliseconds by cut and state.
type tally struct {
	cut   [CutAdjusted + 1]int64
	state [Down + 1]int64
}

func (t tally) agreed() int64 {
	return t.state[Unknown] + t.state[Up] + t.state[Degraded] + t.state[Down]
}

// pieces splits the elapsed period [from, end) by cuts and states and checks
// that the parts make the whole.
func (v *view) pieces(c cuts, from, end int64) ([]Piece, tally, error) {
	var out []Piece
	take := func(cut Cut, set Set, causes []cause) {
		for _, s := range set.Within(from, end) {
			out = append(out, Piece{Span: s, Cut: cut, Why: why(s, causes)})
		}
	}
	take(CutCalendar, NewSet(Span{from, end}).Minus(c.agreed), nil)
	take(CutExistence, c.agreed.Minus(c.base), nil)
	take(CutPlanned, c.planned, c.windows)
	take(CutAdjusted, c.adjusted, c.adjusts)
	for _, seg := range v.states(c.remaining.Within(from, end), c.upExist, c.upPlanned) {
		p := Piece{Span: seg.Span, State: seg.State}
		if c.upPlanned.Has(seg.From) {
			p.Why = why(seg.Span, c.windows)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Piece) int { return cmp.Compare(a.From, b.From) })
	var t tally
	for _, p := range out {
		if p.Cut == NoCut {
			t.state[p.State] += p.Length()
		} else {
			t.cut[p.Cut] += p.Length()
		}
	}
	return out, t, checkWhole(out, t, c, from, end)
}

func why(s Span, causes []cause) []string {
	var names []string
	for _, c := range causes {
		if c.span.within(s.From, s.To).Length() > 0 && !contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// checkWhole is the invariant that stands behind every figure: the pieces
// follow each other from the beginning to the end, and the cuts and states
// add up to the elapsed period.
func checkWhole(pieces []Piece, t tally, c cuts, from, end int64) error {
	at := from
	for _, p := range pieces {
		if p.From != at {
			return fmt.Errorf("the parts of the period do not fit: one ends at %d ms and the next begins at %d ms; please report this", at, p.From)
		}
		at = p.To
	}
	elapsed := max(0, end-from)
	total := t.agreed()
	for _, ms := range t.cut {
		total += ms
	}
	if total != elapsed || len(pieces) > 0 && at != end {
		return fmt.Errorf("the parts of the period do not add up: cuts %v ms and states %v ms make %d ms of %d ms elapsed; please report this", t.cut, t.state, total, elapsed)
	}
	if left := c.remaining.LengthWithin(from, end); left != t.agreed() {
		return fmt.Errorf("the states add up to %d ms of %d ms agreed; please report this", t.agreed(), left)
	}
	return nil
}

// amounts are U, D and X of the definitions, in ms, exact.
type amounts struct {
	up, down, unknown number
}

// measured assigns degraded time and leaves unknown time what it is.
func (p Policies) measured(t tally) amounts {
	a := amounts{whole(t.state[Up]), whole(t.state[Down]), whole(t.state[Unknown])}
	if t.state[Degraded] == 0 {
		return a
	}
	degraded, share := whole(t.state[Degraded]), whole(0)
	switch {
	case p.Degraded.Down:
		share = whole(1)
	case p.Degraded.Share != nil:
		share = numberOf(p.Degraded.Share)
	}
	a.down = a.down.plus(degraded.times(share))
	a.up = a.up.plus(degraded.times(whole(1).less(share)))
	return a
}

// assumed assigns unknown time too, where the policy says so.
func (p Policies) assumed(a amounts) amounts {
	switch p.Unknown {
	case AsUp:
		return amounts{a.up.plus(a.unknown), a.down, whole(0)}
	case AsDown:
		return amounts{a.up, a.down.plus(a.unknown), whole(0)}
	}
	return a
}

func (a amounts) known() number        { return a.up.plus(a.down) }
func (a amounts) all() number          { return a.known().plus(a.unknown) }
func (a amounts) availability() number { return a.up.over(a.known()) }
