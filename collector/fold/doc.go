// Package fold turns the facts of the journal into streaks and outages of
// components in the ledger.
//
//	Feed ─▶ batch: facts ─▶ streaks in memory ──┬─ a state changed: at once      ─┐ one ledger
//	               notes, hosts seen ──────────┘ └─ else: a checkpoint in <= 10 s ─┴ transaction
//	                                                                   with the journal cursor
//
// After a stop, however it came, the ledger is what the journal gave up to
// the cursor, and Run goes on behind it. Facts may come in any order: the
// streaks are those of the set of facts. A streak keeps no instants between
// its ends, so a late fact that contradicts one asks the series store for its
// neighbours to split it where it has to be split.
package fold
