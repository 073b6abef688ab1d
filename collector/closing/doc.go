// Package closing freezes the figures of a customer's month, so that nothing
// changes them silently afterwards.
//
//	explanations ─▶ Freeze ─▶ canonical JSON + SHA-256 ─▶ ledger: version 1, closed
//	                                                        │
//	late facts, corrections ─▶ Check: the same month again ─┤ differs: version n+1, proposed
//	                                                        ▼
//	                              an approver accepts (restated) or rejects
//
// What is frozen is inputs and results together: agreement and calendar
// versions, policies, zone offsets, catalogue, program, the facts, and each
// figure as an exact fraction. Page, API and report of a closed month show the
// version that stands, by way of figures.Engine.
package closing
