// Package check tests from this host whether something answers: one file for
// each kind of test.
//
//	Spec ──New──▶ Check ──Schedule──▶ Probe ──▶ Result ──Append──▶ sample.Set
//
// A result is up, degraded or down where the test could be made, and unknown
// where it could not: no route from this host, its resolver silent, no
// permission, no socket left. Unknown is never down; it leaves no sample of
// the state behind, only a reason.
package check
