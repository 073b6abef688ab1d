// Package silence reads out of an agent's own notes when it did not measure,
// why, and what it lost: each silence has a cause and its two ends, so that a
// hole in a chart has a sentence beside it. It is pure: no clock, no database.
//
//	start note ── alive last at 12:03:05, started 12:03:17, no stop marker ──▶ killed, 12 s
//	loss note  ── 40 records given up, 11:00 – 11:10, buffer full          ──▶ lost, 40 records
package silence

import (
	"cmp"
	"slices"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// Cause is why an agent did not measure.
type Cause string

// The causes, from the surest to the least sure.
const (
	// Lost: measured, and then records were lost on the way.
	Lost Cause = "lost"
	// Stopped: the agent was asked to stop and left its marker.
	Stopped Cause = "stopped"
	// Rebooted: the host was started after the agent was last alive, and the
	// agent left no marker.
	Rebooted Cause = "rebooted"
	// Killed: the same boot and no marker. What was in memory, at most one
	// interval, is lost.
	Killed Cause = "killed"
)

// Silence is a stretch in which an agent did not measure, or of which what it
// measured was lost.
type Silence struct {
	Cause   Cause
	From    int64 // Unix ms: the last sign of life before; 0 = not known
	To      int64 // Unix ms: measuring again, or the end of what was lost
	Records int64 // how many records were lost, where they could be counted
	Reason  string
}

// Length is how long it was silent in ms, at least 0.
func (s *Silence) Length() int64 {
	if s.From == 0 {
		return 0
	}
	return max(0, s.To-s.From)
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
	switch {
	case n.Start.CleanStop:
		s.Cause, s.Reason = Stopped, n.Start.Reason
	case n.Start.BootedAt > n.Start.LastAlive:
		s.Cause = Rebooted
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
	slices.SortStableFunc(all, func(a, b Silence) int { return cmp.Compare(b.To, a.To) })
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
