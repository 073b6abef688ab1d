// Package correction is the ledger of what people say about the past, with
// four eyes: adjustments, which change figures, and annotations, which never do.
//
//	outage ─▶ request: reason, evidence, figures before and after ─▶ requested
//	       ─▶ another person approves, seeing the figures as they are then
//	                  ├▶ approved: availability counts it, from that instant on
//	                  └▶ refused: it stays in the ledger and counts for nothing
//
// Nothing is edited: each step is a version of its own, in the audit chain.
package correction
