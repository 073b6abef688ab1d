// Package ledger is the relational store: hosts, streaks, outages, catalogue
// versions, breaches, problem records and the audit chain. It is the only
// package that speaks SQL.
//
//	fold  ─ ApplyFold ──────▶ streaks, outages, notes, hosts' last seen, cursor ┐ each one
//	judge ─ ApplyJudgement ─▶ judge states, breaches, records, audit            ├ transaction,
//	receive ─ Enrol ────────▶ token use, host, certificate                      ┘ synced to disk
//	pages, API, report ◀──── the read methods, on their own connections
//
// One connection writes; a crash leaves either all of a call or nothing.
// Uniqueness is the database's: one open record per key, one standing breach
// per key, one living host per name. Instants are Unix milliseconds UTC and 0
// means none. The SQL is what SQLite and PostgreSQL both understand.
package ledger
