// Package fault logs what goes wrong the way a person wants to read it: once
// when it begins, once when it is over with how often it happened, and nothing
// in between.
package fault

import (
	"log/slog"
	"sync"
	"time"
)

// Condition is one thing that is either well or not. It is safe for several
// goroutines.
type Condition struct {
	log  *slog.Logger
	good string // logged when it is well again
	now  func() time.Time

	mu    sync.Mutex
	bad   string // "" while it is well
	since time.Time
	count int
}

// New makes a condition that is well. good is logged when it is well again.
func New(log *slog.Logger, now func() time.Time, good string) *Condition {
	return &Condition{log: log, now: now, good: good}
}

// Fail notes that it is not well. bad is a constant text that tells this kind
// of fault from others: it is logged when it was not the last one.
func (c *Condition) Fail(bad string, attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.bad == bad {
		return
	}
	if c.bad == "" {
		c.since, c.count = c.now(), 1
	}
	c.bad = bad
	c.log.Warn(bad, attrs...)
}

// OK notes that it is well.
func (c *Condition) OK(attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bad == "" {
		return
	}
	c.log.Info(c.good, append(attrs, "times", c.count, "lasted", c.now().Sub(c.since).Round(time.Millisecond).String())...)
	c.bad, c.count = "", 0
}

// Failing tells whether it is not well, in which way, and since when.
func (c *Condition) Failing() (bad string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bad, c.since
}
