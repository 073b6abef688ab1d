// Package record says what a problem record is and how it may change. It is
// pure: no clock, no database; the ledger stores what it describes.
//
//	breach ─▶ Key ─▶ is a record with that key open?  ── no ──▶ Problem, numbered PRB-2026-000123
//	                                                  └─ yes ─▶ an Amendment of it
//
// A record is never edited. Each change is an amendment with who, when, the
// old and the new value and why; the row holds the newest values so that
// lists are quick, and the amendments lead back to the first ones.
package record
