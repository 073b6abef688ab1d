package batch

import (
	"fmt"
	"net/http"
	"time"
)

// Limits bound what one body may cost. Each is checked before memory is
// spent on what it bounds.
type Limits struct {
	CompressedBytes int           // of a body as sent
	DecodedBytes    int           // of a body after snappy
	Ratio           int           // decoded to compressed
	Samples         int           // in one body
	Symbols         int           // in one body (remote write 2.0), and label sections in one body
	Labels          int           // of one series
	SeriesBytes     int           // all label names and values of one series
	NameBytes       int           // of a label name
	ValueBytes      int           // of a label value
	SeriesPerHost   int           // active at once (asked for in the last one to two hours); 0 = no limit
	NewSeries       int           // new ones of a host in a minute, once it has brought SeriesPerHost; 0 = no limit
	SeriesPerSender int           // active at once, of a foreign sender; 0 = no limit
	HostsPerSender  int           // instances a foreign sender may bring
	Ahead           time.Duration // a sample may be this much ahead of its receipt
	Behind          time.Duration // and this much behind; 0 = no limit
}

// Defaults are the limits of a collector whose configuration names none.
func Defaults() Limits {
	return Limits{
		CompressedBytes: 4 << 20,
		DecodedBytes:    24 << 20,
		Ratio:           100,
		Samples:         50_000,
		Symbols:         100_000,
		Labels:          64,
		NameBytes:       1 << 10,
		ValueBytes:      4 << 10,
		SeriesBytes:     8 << 10,
		SeriesPerHost:   5_000,
		NewSeries:       60,
		SeriesPerSender: 200_000,
		HostsPerSender:  2_000,
		Ahead:           10 * time.Minute,
		Behind:          8 * 24 * time.Hour,
	}
}

// Reason is why a body or a part of it was refused: a word for a counter.
type Reason string

// The reasons. The first group refuses the whole body, the second single
// samples or series of it.
const (
	ReasonMalformed Reason = "malformed" // not what it claims to be
	ReasonTooLarge  Reason = "too_large" // compressed or decoded size
	ReasonRatio     Reason = "ratio"     // decodes to more than Ratio times its size
	ReasonTooMany   Reason = "too_many"  // samples, symbols or label sections in one body

	ReasonLabels      Reason = "labels"       // invalid, doubled, missing or too long
	ReasonTimestamp   Reason = "timestamp"    // too far ahead, or not after 1970
	ReasonOld         Reason = "too_old"      // further behind than Behind
	ReasonNewSeries   Reason = "new_series"   // a new series faster than NewSeries
	ReasonHosts       Reason = "hosts_limit"  // an instance beyond HostsPerSender
	ReasonSeriesLimit Reason = "series_limit" // a new series beyond SeriesPerHost
	ReasonHistogram   Reason = "histogram"    // native histograms are skipped
	ReasonExemplar    Reason = "exemplar"     // exemplars are skipped
)

// Journaled are the limits for reading what was accepted under l, or under the
// limits of an earlier configuration: nothing of it may be refused now.
func (l Limits) Journaled() Limits {
	const none = 1 << 30
	return Limits{CompressedBytes: none, DecodedBytes: none, Ratio: none, Samples: none, Symbols: none, Labels: none,
		NameBytes: none, ValueBytes: none, SeriesBytes: none, HostsPerSender: none, Ahead: 100 * 365 * 24 * time.Hour}
}

// Error is a body refused as a whole.
type Error struct {
	Status int // HTTP: 400 or 413
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return e.Detail }

func malformed(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Reason: ReasonMalformed, Detail: "malformed body: " + fmt.Sprintf(format, args...)}
}

func tooBig(reason Reason, format string, args ...any) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
