// Package agent measures a host and delivers what it measured.
//
//	source ──┐
//	         ├─▶ sample.Set ─▶ encode ─▶ buffer (journal, fsync) ─▶ ship ──▶ collector
//	check ───┘       one record per interval      │
//	   └── a state that changed: its own record, at once, and a note why
//
//	Run:  collect   every interval: due sources, results of checks
//	      check     each at its own interval, spread, never overlapping itself
//	      ship      peek, send, acknowledge; live first, then the backlog
//	      alive     a stamp each 5 s, so that the next run knows when this one ended
//	      metrics   its own figures on loopback
//
// What is in the buffer survives anything; what happens between two records
// can be lost by a kill: at most one interval.
package agent
