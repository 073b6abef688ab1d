// Package damage keeps of which stretches of time acknowledged data was lost
// on the collector's own disk, so that whoever shows a figure of such a
// stretch says so.
//
//	series: a block put into quarantine ─┐
//	journal: records that cannot be read ┴▶ List ─┬▶ pages, API, report, /metrics
//	                                              └▶ Queryable ─▶ a warning of each PromQL answer it touches
//
// Availability does not need it: its streaks are in the ledger, which is
// sound or does not open.
package damage
