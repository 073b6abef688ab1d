// Package availability is the arithmetic of the product: facts in, figures
// out, and nothing else. It reads no clock, no file and no database; the same
// input gives the same figures, in whatever order the facts arrived.
//
//	facts ─▶ streaks ─▶ observers' timelines ─▶ component ─▶ tree ─▶ service
//	                     (hold, bridged gaps)   (majority)   (k of n)   │
//	                                                                    ▼
//	                            corrections (up, down) come before the tree;
//	                            blips ─▶ outages, on the uncut timeline
//	                                                                    │
//	period ─▶ 1 calendar ─▶ 2 existence ─▶ 3 planned ─▶ 4 adjustments ─▶ states
//	           each cut takes its seconds; what is left is agreed time  │
//	                                                                    ▼
//	                            figures, indicators, budget, outages counted
//
// All of it is interval arithmetic on half-open spans [from, to) of integer
// milliseconds UTC; samples are never counted. Fractions are exact: they
// become floating point when they leave the package, not before. The four
// cuts and the four states are checked to add up to the elapsed period.
//
// The rules are those of docs/semantics.md.
package availability
