// Package evaluate is the command that computes figures from a file of facts
// and a catalogue, without a collector: what an auditor runs to get the same
// numbers again.
//
//	catalogue.yaml ─▶ catalogue.Parse ──────────────┐
//	facts.csv ─▶ records ─▶ facts ─▶ streaks by ────┼─▶ availability.Evaluate ─▶ json | table
//	             (csv.go)  (facts.go) component     │
//	                                  and observer  │
//	             (collect.go, in one pass) ─────────┘
//
// Memory grows with the number of observed components and changes of state,
// not with the number of lines, as long as the facts of each are in time
// order. Those that are not are read again by themselves and sorted.
package evaluate
