package ship

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of prometheus.WriteRequest, TimeSeries, Label and Sample (remote
// write 1.0, https://prometheus.io/docs/specs/prw/remote_write_spec/).
const (
	fieldTimeseries protowire.Number = 1
	fieldLabel      protowire.Number = 1
	fieldSample     protowire.Number = 2
	fieldName       protowire.Number = 1
	fieldText       protowire.Number = 2
	fieldValue      protowire.Number = 1
	fieldTime       protowire.Number = 2
)

// pair is one label.
type pair struct{ name, value string }

// write1 makes the same message in remote write 1.0 of one in 2.0, both packed
// in snappy. more are label names and values for series without that name.
func write1(packed []byte, more []string) ([]byte, error) {
	plain, err := snappy.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("unpack own record: %w", err)
	}
	var in writev2.Request
	if err := in.UnmarshalVT(plain); err != nil {
		return nil, fmt.Errorf("read own record: %w", err)
	}
	var out, series, part []byte
	var labels []pair
	for _, ts := range in.Timeseries {
		if labels, err = labelsOf(labels[:0], ts.LabelsRefs, in.Symbols, more); err != nil {
			return nil, err
		}
		series = series[:0]
		for _, l := range labels {
			part = protowire.AppendTag(part[:0], fieldName, protowire.BytesType)
			part = protowire.AppendString(part, l.name)
			part = protowire.AppendTag(part, fieldText, protowire.BytesType)
			part = protowire.AppendString(part, l.value)
			series = protowire.AppendTag(series, fieldLabel, protowire.BytesType)
			series = protowire.AppendBytes(series, part)
		}
		for _, sample := range ts.Samples {
			part = protowire.AppendTag(part[:0], fieldValue, protowire.Fixed64Type)
			part = protowire.AppendFixed64(part, math.Float64bits(sample.Value))
			part = protowire.AppendTag(part, fieldTime, protowire.VarintType)
			part = protowire.AppendVarint(part, uint64(sample.Timestamp))
			series = protowire.AppendTag(series, fieldSample, protowire.BytesType)
			series = protowire.AppendBytes(series, part)
		}
		out = protowire.AppendTag(out, fieldTimeseries, protowire.BytesType)
		out = protowire.AppendBytes(out, series)
	}
	return snappy.Encode(nil, out), nil
}

// labelsOf resolves the labels of a series and adds more, sorted by name as
// remote write wants them.
func labelsOf(labels []pair, refs []uint32, symbols, more []string) ([]pair, error) {
	if len(refs)%2 != 0 {
		return nil, fmt.Errorf("own record has a label without a value")
	}
	for i := 0; i < len(refs); i += 2 {
		if int(refs[i]) >= len(symbols) || int(refs[i+1]) >= len(symbols) {
			return nil, fmt.Errorf("own record names a text that it does not have")
		}
		labels = append(labels, pair{symbols[refs[i]], symbols[refs[i+1]]})
	}
	for i := 0; i+1 < len(more); i += 2 {
		if !slices.ContainsFunc(labels, func(l pair) bool { return l.name == more[i] }) {
			labels = append(labels, pair{more[i], more[i+1]})
		}
	}
	slices.SortFunc(labels, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return labels, nil
}
