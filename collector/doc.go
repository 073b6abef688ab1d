// Package collector wires the collector together; each stage has a folder.
//
//	agents ──mTLS──▶ receive ─▶ journal (fsync, 2xx) ─▶ Feed ─┬─▶ series (TSDB)
//	                                                           └─▶ fold ─▶ ledger
//	judge: thresholds over series ─▶ breach ─▶ one problem record in the ledger
//	figures: ledger + catalogue ─▶ web, api, PromQL, report
//
// New opens everything and binds both ports; Run serves until its context
// ends, and each thing that was opened is closed in reverse.
package collector
