// Package silence reads out of what agents bring when they did not measure or
// could not deliver, and why: each silence has a cause, its two ends and what
// it says about the host, so that a hole in a chart has a sentence beside it.
// It is pure: no clock, no database.
//
//	start note ── alive last at 12:03:05, started 12:03:17, no stop marker ──▶ killed, 12 s
//	           ── … and the kernel was started at 12:03:10 ─────────────────▶ the host crashed: down for 5 s
//	loss note  ── 40 records given up, 11:00 – 11:10, buffer full ──────────▶ lost, 40 records
//	envelopes  ── made 12:00 – 12:40, all received at 12:41 (Watch) ────────▶ late, and by Explain:
//	              this collector was away │ peers reached the host │ peers did not
//	           ── the boot clock stood still, or only the monotonic one ────▶ paused, suspended
package silence

import (
	"cmp"
	"slices"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Cause is why an agent did not measure, or was not heard.
type Cause string

// The causes of not measuring, from the surest to the least sure.
const (
	// Lost: measured, and then records were lost on the way.
	Lost Cause = "lost"
	// Stopped: the agent was asked to stop and left its marker.
	Stopped Cause = "stopped"
	// Rebooted: the host was shut down or restarted in order, and started again.
	Rebooted Cause = "rebooted"
	// Crashed: the host was started after the agent was last alive, and
	// nothing tells of a shutdown. It failed then or within one stamp after.
	Crashed Cause = "crashed"
	// Killed: the same boot and no marker. What was in memory, at most one
	// interval, is lost.
	Killed Cause = "killed"
	// Suspended: the host slept; its boot clock counted on, its monotonic one did not.
	Suspended Cause = "suspended"
	// Paused: the machine stood still with all its clocks, as when a
	// hypervisor stops it.
	Paused Cause = "paused"
	// Stalled: the same run went on after measuring nothing for a while.
	Stalled Cause = "stalled"
)

// The causes of not being heard while measuring: the host was up.
const (
	// Late: records came late, and nothing more is known.
	Late Cause = "late"
	// CollectorAway: this collector took nothing meanwhile.
	CollectorAway Cause = "collector_away"
	// PathCut: the collector was there, and others reached the host.
	PathCut Cause = "path_cut"
	// NetworkOut: the collector was there, and nobody else reached the host.
	NetworkOut Cause = "network_out"
)

// The causes of being silent now. They are provisional until data returns.
const (
	// Silent: nothing is known yet.
	Silent Cause = "silent"
	// Cloned: two agents are alive with one identity, and nothing is taken of either.
	Cloned Cause = "cloned"
)

// Silence is a stretch in which an agent did not measure or was not heard, or
// of which what it measured was lost.
type Silence struct {
	Cause   Cause
	From    int64 // Unix ms: the last sign of life before; 0 = not known
	To      int64 // Unix ms: measuring again, or the end of what was lost; 0 = it lasts
	Records int64 // how many records were lost, where they could be counted
	Reason  string
	// Booted is when the host was started again, Unix ms; 0 where it was not.
	Booted int64
	// Provisional tells that the verdict may change when data returns.
	Provisional bool
}

// Length is how long it was silent in ms, at least 0.
func (s *Silence) Length() int64 {
	if s.From == 0 {
		return 0
	}
	return max(0, s.To-s.From)
}

// Measured tells whether the agent went on measuring: nothing is missing.
func (s *Silence) Measured() bool {
	switch s.Cause {
	case Late, CollectorAway, PathCut, NetworkOut:
		return true
	}
	return false
}

// Down is when the host did not run, which its silence proves; ok is false
// where it proves no such thing. An agent that is stopped, killed or not heard
// says nothing about its host.
func (s *Silence) Down() (from, to int64, ok bool) {
	switch s.Cause {
	case Rebooted, Crashed:
		from, to = s.From, s.Booted
	case Paused:
		from, to = s.From, s.To
	}
	return from, to, from != 0 && from < to
}

// Host is what the silence proves about the host while it lasted.
func (s *Silence) Host() availability.State {
	if _, _, down := s.Down(); down {
		return availability.Down
	}
	if s.Measured() || s.Cause == Lost {
		return availability.Up
	}
	return availability.Unknown
}

// Of is what a note says about silence. The first start of an agent and a
// change of a check say nothing.
func Of(n *wire.Note) (Silence, bool) {
	switch {
	case n.Loss != nil:
		return Silence{Cause: Lost, From: n.Loss.FromAt, To: max(n.Loss.ToAt, n.Loss.FromAt), Records: n.Loss.Records, Reason: n.Loss.Reason}, true
	case n.Start == nil || n.Start.LastAlive == 0:
		return Silence{}, false
	}
	s := Silence{Cause: Killed, From: n.Start.LastAlive, To: n.At}
	anew := n.Start.BootedAt > n.Start.LastAlive
	switch {
	case n.Start.CleanStop && n.Start.Reason == wire.ReasonShutdown && anew:
		s.Cause, s.Booted = Rebooted, n.Start.BootedAt
	case n.Start.CleanStop:
		s.Cause, s.Reason = Stopped, n.Start.Reason
	case anew:
		s.Cause, s.Booted = Crashed, n.Start.BootedAt
	}
	return s, true
}

// All reads the notes of one agent, in any order and some of them perhaps
// delivered twice: an agent that got no answer sends its note again, and a loss
// whose note was given up unanswered is told anew, perhaps together with what
// was lost meanwhile. Each lost record counts once. The newest silence comes
// first.
func All(notes []wire.Note) []Silence {
	var all []Silence
	// The widest first: what is told in parts as well adds nothing.
	wide := slices.Clone(notes)
	slices.SortStableFunc(wide, func(a, b wire.Note) int { return cmp.Compare(told(b.Loss).length(), told(a.Loss).length()) })
	counted := map[string][]span{}
	for i := range wide {
		s, ok := Of(&wide[i])
		l := wide[i].Loss
		known := told(l).length() > 0 // which records they were
		if !ok || !known && slices.Contains(all, s) {
			continue
		}
		if known {
			again := cut(counted[l.MissedRun], told(l))
			if again == told(l).length() {
				continue
			}
			counted[l.MissedRun] = append(counted[l.MissedRun], told(l))
			s.Records = max(1, s.Records-int64(again))
		}
		all = append(all, s)
	}
	Sort(all)
	return all
}

// span is a run of numbers, inclusive, from 1; the zero value is none.
type span struct{ from, to uint64 }

func (s span) length() uint64 {
	if s.from == 0 || s.to < s.from {
		return 0
	}
	return s.to - s.from + 1
}

// told is which records a loss is about, by their number or as the run counts them.
func told(l *wire.LossNote) span {
	switch {
	case l == nil:
		return span{}
	case l.MissedRun != "":
		return span{l.MissedFrom, l.MissedTo}
	}
	return span{l.FromSeq, l.ToSeq}
}

// cut is how many numbers of s lie in known.
func cut(known []span, s span) (in uint64) {
	sorted := slices.SortedFunc(slices.Values(known), func(a, b span) int { return cmp.Compare(a.from, b.from) })
	at := s.from // all below was looked at
	for _, k := range sorted {
		if from, to := max(k.from, at), min(k.to, s.to); from <= to {
			in += to - from + 1
			at = to + 1
		}
	}
	return in
}

// Sort puts the newest first; what lasts comes before all.
func Sort(all []Silence) {
	end := func(s *Silence) int64 {
		if s.To == 0 && s.From != 0 {
			return 1 << 62
		}
		return s.To
	}
	slices.SortStableFunc(all, func(a, b Silence) int { return cmp.Or(cmp.Compare(end(&b), end(&a)), cmp.Compare(b.From, a.From)) })
}
