package check

import (
	"context"
	"sync"
	"time"
)

// Change is a result whose state differs from the one before it.
type Change struct {
	Check  *Check
	From   State
	Result Result
	First  bool // the first result since the agent started: there is nothing before it
}

// Schedule makes each check once in its interval, spread so that they do not
// all begin at once. A check never overlaps itself: when one takes longer
// than its interval, the rounds it missed are left out, not made up.
type Schedule struct {
	checks  []*Check
	changed func(Change)

	mu      sync.Mutex
	pending [][]Result // by check, since the last Take
	last    []Result   // by check
	seen    []bool
}

// maxPending bounds the results a check keeps until they are taken.
const maxPending = 64

// NewSchedule makes a schedule. changed is called from the check's own
// goroutine when the state is another than before, and once for each check's
// first result; the result is among those Take returns by then.
func NewSchedule(checks []*Check, changed func(Change)) *Schedule {
	return &Schedule{
		checks: checks, changed: changed,
		pending: make([][]Result, len(checks)), last: make([]Result, len(checks)), seen: make([]bool, len(checks)),
	}
}

// Run makes the checks until ctx ends and returns when the last one has stopped.
func (s *Schedule) Run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range s.checks {
		all.Go(func() { s.repeat(ctx, i) })
	}
	all.Wait()
}

// repeat makes check i at its offset and each interval after it.
func (s *Schedule) repeat(ctx context.Context, i int) {
	c := s.checks[i]
	next := time.Now().Add(c.Interval * time.Duration(i) / time.Duration(len(s.checks)))
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		r := c.Probe(ctx)
		if ctx.Err() != nil {
			return // cut off by the agent's own end: says nothing of the target
		}
		s.note(i, r)
		now := time.Now()
		next = next.Add(c.Interval)
		if late := now.Sub(next); late >= 0 {
			next = next.Add((late/c.Interval + 1) * c.Interval)
		}
		timer.Reset(next.Sub(now))
	}
}

func (s *Schedule) note(i int, r Result) {
	s.mu.Lock()
	change := Change{Check: s.checks[i], From: s.last[i].State, Result: r, First: !s.seen[i]}
	differs := change.First || s.last[i].State != r.State
	s.last[i], s.seen[i] = r, true
	if len(s.pending[i]) == maxPending {
		s.pending[i] = append(s.pending[i][:0], s.pending[i][1:]...)
	}
	s.pending[i] = append(s.pending[i], r)
	s.mu.Unlock()
	if differs {
		s.changed(change)
	}
}

// Take hands the results since the last call to add, check by check in the
// configured order.
func (s *Schedule) Take(add func(*Check, []Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, results := range s.pending {
		if len(results) > 0 {
			add(s.checks[i], results)
			s.pending[i] = results[:0]
		}
	}
}
