// Package report builds the service report of one customer and period.
//
//	figures, ledger, samples ─▶ sections (one file each) ─▶ Model: blocks ─▶ a renderer per format
//
// A section yields blocks (heading, text, key figures, table, chart, note)
// and knows no format; a renderer knows blocks and no section. A new section
// is one file and one row in sections; a new format is one file. Identical
// input gives identical bytes: a report carries the instant it was computed
// for, never the instant it was written.
package report
