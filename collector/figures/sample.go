package figures

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// sample is one computed value; it implements chunks.Sample.
type sample struct {
	t int64
	v float64
}

// T is the instant in Unix milliseconds.
func (s sample) T() int64 { return s.t }

// ST is not known: figures do not start counting anywhere.
func (s sample) ST() int64 { return 0 }

// F is the value.
func (s sample) F() float64 { return s.v }

// H is nil: figures are plain numbers.
func (s sample) H() *histogram.Histogram { return nil }

// FH is nil: figures are plain numbers.
func (s sample) FH() *histogram.FloatHistogram { return nil }

// Type is float.
func (s sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }

// Copy is the sample itself, which holds nothing shared.
func (s sample) Copy() chunks.Sample { return s }

// seriesSet walks over series that are in order of their labels.
type seriesSet struct {
	series []storage.Series
	next   int
}

// Next moves to the next series.
func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.series)
}

// At is the series moved to.
func (s *seriesSet) At() storage.Series { return s.series[s.next-1] }

// Err is nil: everything was computed before.
func (s *seriesSet) Err() error { return nil }

// Warnings are none.
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
