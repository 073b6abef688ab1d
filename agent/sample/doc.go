// Package sample holds what one collection measured and encodes it.
//
//	sources, checks ──Add──▶ Set ──Encoder──▶ snappy(remote write 2.0)
//
// A Set is filled by one goroutine and reused for the next collection, so
// that a collection allocates next to nothing. The encoded label section
// depends on the series and their order alone: as long as a host measures the
// same things, it is the same bytes each time, and the collector does not
// parse it again.
package sample
