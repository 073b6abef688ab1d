// Package maintenance plans work: a change, its maintenance windows, and who
// approves it.
//
//	Plan ─▶ what each agreement will make of it, before it is saved ─▶ change, new
//	      ─▶ another person approves ─▶ scheduled: its windows enter the figures
//	                                 └▶ rejected, cancelled: they do not, or no longer
//
// The judgement is availability's: notice, cap, overrun and agreed time are
// counted there and only there. This package expands recurrence, keeps every
// version in the ledger and writes calendars.
package maintenance
