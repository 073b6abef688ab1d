package check

import (
	"context"
	"reflect"
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
	changed func(Change)
	wake    chan struct{} // the list is another

	mu   sync.Mutex
	list []*entry
}

// entry is one check of the schedule. Its fields are guarded by Schedule.mu.
type entry struct {
	check   *Check
	offset  time.Duration // of its first round
	stop    context.CancelFunc
	gone    bool     // no longer wanted; kept until its results are taken
	pending []Result // since the last Take
	last    Result
	seen    bool
}

// maxPending bounds the results a check keeps until they are taken.
const maxPending = 64

// NewSchedule makes a schedule. changed is called from the check's own
// goroutine when the state is another than before, and once for each check's
// first result; the result is among those Take returns by then.
func NewSchedule(checks []*Check, changed func(Change)) *Schedule {
	s := &Schedule{changed: changed, wake: make(chan struct{}, 1)}
	s.Set(checks)
	return s
}

// Set replaces the checks, also while they run. One whose spec stays the same
// goes on undisturbed; the new ones are spread over their interval.
func (s *Schedule) Set(checks []*Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list, added []*entry
	for _, c := range checks {
		if e := s.same(c); e != nil {
			list = append(list, e)
			continue
		}
		e := &entry{check: c}
		list, added = append(list, e), append(added, e)
	}
	for i, e := range added {
		e.offset = e.check.Interval * time.Duration(i) / time.Duration(len(added))
	}
	kept := map[*entry]bool{}
	for _, e := range list {
		kept[e] = true
	}
	for _, e := range s.list {
		if kept[e] {
			continue
		}
		e.gone = true
		if e.stop != nil {
			e.stop()
		}
		if len(e.pending) > 0 {
			list = append(list, e)
		}
	}
	s.list = list
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// same finds the entry of a check with the same spec. mu is held.
func (s *Schedule) same(c *Check) *entry {
	for _, e := range s.list {
		if !e.gone && reflect.DeepEqual(e.check.Spec, c.Spec) {
			return e
		}
	}
	return nil
}

// Len is how many checks are made.
func (s *Schedule) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.list {
		if !e.gone {
			n++
		}
	}
	return n
}

// Run makes the checks until ctx ends and returns when the last one has stopped.
func (s *Schedule) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		s.mu.Lock()
		for _, e := range s.list {
			if e.gone || e.stop != nil {
				continue
			}
			own, stop := context.WithCancel(ctx)
			e.stop = stop
			all.Go(func() {
				defer stop()
				s.repeat(own, e)
			})
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
	}
}

// repeat makes a check at its offset and each interval after it.
func (s *Schedule) repeat(ctx context.Context, e *entry) {
	c := e.check
	next := time.Now().Add(e.offset)
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
			return // cut off by the agent's own end or the check's: says nothing of the target
		}
		s.note(e, r)
		now := time.Now()
		next = next.Add(c.Interval)
		if late := now.Sub(next); late >= 0 {
			next = next.Add((late/c.Interval + 1) * c.Interval)
		}
		timer.Reset(next.Sub(now))
	}
}

func (s *Schedule) note(e *entry, r Result) {
	s.mu.Lock()
	if e.gone {
		s.mu.Unlock()
		return
	}
	change := Change{Check: e.check, From: e.last.State, Result: r, First: !e.seen}
	differs := change.First || e.last.State != r.State
	e.last, e.seen = r, true
	if len(e.pending) == maxPending {
		e.pending = append(e.pending[:0], e.pending[1:]...)
	}
	e.pending = append(e.pending, r)
	s.mu.Unlock()
	if differs {
		s.changed(change)
	}
}

// Take hands the results since the last call to add, check by check in the
// order they were given.
func (s *Schedule) Take(add func(*Check, []Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list[:0]
	for _, e := range s.list {
		if len(e.pending) > 0 {
			add(e.check, e.pending)
			e.pending = e.pending[:0]
		}
		if !e.gone {
			list = append(list, e)
		}
	}
	clear(s.list[len(list):])
	s.list = list
}
