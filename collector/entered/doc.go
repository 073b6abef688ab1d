// Package entered keeps values of indicators that no machine measures, such as
// a satisfaction that customers were asked for.
//
//	person ─▶ Enter ─▶ ledger: version 1, 2, 3 … of one value, in the audit chain
//	                      │
//	figures ◀─ Newest ────┘ the one that was the newest at an instant
//
// A value is of an agreement, an indicator and a calendar month of the
// agreement's zone. It is amended by a newer entry and never edited.
package entered
