package sample

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
)

// nameLabel is the label that carries a metric's name; it sorts before all others.
const nameLabel = "__name__"

// Encoder turns sets into remote-write 2.0 messages. It keeps its memory
// between calls and is not safe for several goroutines.
type Encoder struct {
	symbols writev2.SymbolsTable
	series  []*writev2.TimeSeries // reused, each with room for its samples
	plain   []byte
	packed  []byte
}

// NewEncoder returns an encoder.
func NewEncoder() *Encoder {
	return &Encoder{symbols: writev2.NewSymbolTable()}
}

// Encode returns the snappy-compressed message of all samples of the set, in
// their order; neighbours of the same series share one entry. The bytes are
// valid until the next call.
func (e *Encoder) Encode(set *Set) ([]byte, error) {
	e.symbols.Reset()
	name := e.symbols.Symbolize(nameLabel)
	used := 0
	var last *Sample
	for i := range set.samples {
		s := &set.samples[i]
		if last == nil || last.Name != s.Name || !slices.Equal(last.Labels, s.Labels) {
			entry := e.entry(used)
			used++
			entry.LabelsRefs = append(entry.LabelsRefs[:0], name, e.symbols.Symbolize(s.Name))
			for _, text := range s.Labels {
				entry.LabelsRefs = append(entry.LabelsRefs, e.symbols.Symbolize(text))
			}
			entry.Samples = entry.Samples[:0]
		}
		last = s
		appendSample(e.series[used-1], s)
	}
	request := writev2.Request{Symbols: e.symbols.Symbols(), Timeseries: e.series[:used]}
	e.plain = slices.Grow(e.plain[:0], request.SizeVT())
	n, err := request.MarshalToVT(e.plain[:request.SizeVT()])
	if err != nil {
		return nil, fmt.Errorf("encode %d series: %w", used, err)
	}
	e.packed = snappy.Encode(e.packed[:cap(e.packed)], e.plain[:n])
	return e.packed, nil
}

// entry is the i-th series of the message, made once and used again.
func (e *Encoder) entry(i int) *writev2.TimeSeries {
	if i == len(e.series) {
		e.series = append(e.series, &writev2.TimeSeries{})
	}
	return e.series[i]
}

// appendSample uses the sample that an earlier message left behind the end of
// the slice, if there is one.
func appendSample(entry *writev2.TimeSeries, s *Sample) {
	if n := len(entry.Samples); n < cap(entry.Samples) {
		entry.Samples = entry.Samples[:n+1]
		if entry.Samples[n] == nil {
			entry.Samples[n] = &writev2.Sample{}
		}
	} else {
		entry.Samples = append(entry.Samples, &writev2.Sample{})
	}
	slot := entry.Samples[len(entry.Samples)-1]
	slot.Value, slot.Timestamp = s.V, s.T
}
