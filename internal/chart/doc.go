// Package chart draws the small pictures of pages and reports as SVG text.
//
//	Lines      values over time: axes that know the unit and the zone, gaps
//	           that stay gaps, thresholds, a legend with the latest value
//	Strip      one cell per day or interval: up, degraded, down, unknown
//	Spark      a line without axes, for a table cell
//
// The output needs no style sheet: each element carries presentational
// attributes that print well on white. It also carries classes, by which a
// style sheet recolours it (a dark page); there is no style attribute and no
// script, so a strict Content-Security-Policy holds. Lines differ by dash as
// well as by colour, states by height as well as by colour: both can be read
// in grey. The same input gives the same bytes.
package chart
