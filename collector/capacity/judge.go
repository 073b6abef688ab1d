package capacity

import "math"

// Level is how full an instance is judged to be.
type Level uint8

// The levels, in rising order.
const (
	Clear Level = iota
	Warning
	Critical
)

func (l Level) String() string {
	switch l {
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	}
	return "clear"
}

// ParseLevel reads what String wrote; anything else is Clear.
func ParseLevel(s string) Level {
	switch s {
	case "warning":
		return Warning
	case "critical":
		return Critical
	}
	return Clear
}

// State is what is remembered of one instance between two judgements. The
// zero value is an instance never seen. Instants are Unix milliseconds, 0 = not.
type State struct {
	Level Level
	// Since when utilisation has been at or above warning, at or above
	// critical, below clear, without a break.
	OverWarning, OverCritical, UnderClear int64
	// Seen is the newest judgement, Used and Limit its values.
	Seen        int64
	Used, Limit float64
	// Unmeasured is since when there has been no value of what stood in
	// breach; 0 while it is measured. The level is kept meanwhile.
	Unmeasured int64
}

// Utilisation is Used / Limit, NaN when there is no limit.
func (s State) Utilisation() float64 {
	if !(s.Limit > 0) {
		return math.NaN()
	}
	return s.Used / s.Limit
}

// Event is what a finding tells.
type Event uint8

// The events of one instance.
const (
	Breached  Event = iota + 1 // a threshold has stood for its time
	Escalated                  // a warning has become critical
	Recovered                  // utilisation has stayed below clear for its time
	Vanished                   // what stood in breach is no longer measured
	Returned                   // it is measured again, and not below clear: the same breach goes on
)

// Finding is a change of level. Threshold is the share that was passed, for
// Recovered and Returned the clear one; Since is when that began, for Vanished
// the last instant that had a value.
type Finding struct {
	Event     Event
	Level     Level // the new one; for Recovered the one that was left
	Since, At int64
	Used      float64
	Limit     float64
	Threshold float64
}

// MaxGap is the longest silence, in milliseconds, across which a threshold
// still counts as passed without a break: a restart of the collector does not
// begin the wait again, a series that was away for longer does.
const MaxGap = 5 * 60 * 1000

// Judge takes one value pair of an instance at an instant (Unix ms) and
// returns what to remember and what was found, at most one finding. Values
// must come in time order; an instant not after prev.Seen changes nothing,
// unless it lies so far before that the clock must have been set back: then
// all waits begin again. A limit that is not above zero or a value that is no
// number changes nothing either.
func Judge(prev State, r *Resource, used, limit float64, at int64) (State, []Finding) {
	if !(limit > 0) || math.IsInf(limit, 0) || math.IsNaN(used) || math.IsInf(used, 0) {
		return prev, nil
	}
	gap := max(int64(MaxGap), 3*r.For.Milliseconds()/2)
	if at <= prev.Seen && at >= prev.Seen-gap {
		return prev, nil
	}
	s := prev
	if prev.Seen != 0 && (at-prev.Seen > gap || at < prev.Seen) {
		s.OverWarning, s.OverCritical, s.UnderClear = 0, 0, 0
	}
	s.Seen, s.Used, s.Limit = at, used, limit
	u := used / limit
	s.OverWarning = hold(s.OverWarning, u >= r.Warning, at)
	s.OverCritical = hold(s.OverCritical, r.Critical > 0 && u >= r.Critical, at)
	s.UnderClear = hold(s.UnderClear, u < r.clear(), at)

	stood := func(since int64) bool { return since != 0 && at-since >= r.For.Milliseconds() }
	f := Finding{At: at, Used: used, Limit: limit}
	switch {
	case s.Unmeasured != 0 && u >= r.clear():
		f.Event, f.Level, f.Since, f.Threshold = Returned, s.Level, at, r.clear()
		s.Unmeasured = 0
	case s.Level < Critical && stood(s.OverCritical):
		f.Event, f.Level, f.Since, f.Threshold = Breached, Critical, s.OverCritical, r.Critical
		if s.Level == Warning {
			f.Event = Escalated
		}
		s.Level = Critical
	case s.Level == Clear && stood(s.OverWarning):
		f.Event, f.Level, f.Since, f.Threshold = Breached, Warning, s.OverWarning, r.Warning
		s.Level = Warning
	case s.Level != Clear && stood(s.UnderClear):
		f.Event, f.Level, f.Since, f.Threshold = Recovered, s.Level, s.UnderClear, r.clear()
		s.Level, s.Unmeasured = Clear, 0
	default:
		return s, nil
	}
	return s, []Finding{f}
}

// MinGrace is the shortest time, in milliseconds, without a value after which
// a breach counts as no longer measured: as long as a sample may stand for now
// on the pages, so that none shows a value that the record says is not there.
const MinGrace = MaxGap

// Miss tells at an instant (Unix ms) that an instance has no value newer than
// prev.Seen although what it belongs to was heard of at heard. Beyond grace
// (ms) a breach is no longer measured, which is not recovered: Judge ends that
// with the next value. While heard does not move on, nothing is known.
func Miss(prev State, heard, grace, at int64) (State, []Finding) {
	if prev.Level == Clear || prev.Unmeasured != 0 || heard-prev.Seen < grace {
		return prev, nil
	}
	s := prev
	s.Unmeasured = prev.Seen
	s.OverWarning, s.OverCritical, s.UnderClear = 0, 0, 0
	return s, []Finding{{Event: Vanished, Level: s.Level, Since: prev.Seen, At: at, Used: s.Used, Limit: s.Limit}}
}

// hold keeps since while the condition stands, begins it when it starts to, and ends it.
func hold(since int64, stands bool, at int64) int64 {
	switch {
	case !stands:
		return 0
	case since == 0:
		return at
	}
	return since
}
