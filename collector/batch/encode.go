package batch

import (
	"encoding/binary"
	"math"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
)

// Encode makes a remote write 1.0 body of samples. It is used when a part of
// a body was refused: what goes into the journal is what was accepted, so
// that reading it again cannot accept more.
func Encode(samples []Sample) []byte {
	var out, series, part []byte
	for i := 0; i < len(samples); {
		s := samples[i].Series
		series = series[:0]
		s.Labels.Range(func(l labels.Label) {
			part = appendText(appendText(part[:0], 1, l.Name), 2, l.Value)
			series = append(binary.AppendUvarint(append(series, labels1), uint64(len(part))), part...)
		})
		for ; i < len(samples) && samples[i].Series == s; i++ {
			part = append(part[:0], byte(tag(1, wireI64)))
			part = binary.LittleEndian.AppendUint64(part, math.Float64bits(samples[i].V))
			part = binary.AppendUvarint(append(part, byte(tag(2, wireVarint))), uint64(samples[i].T))
			series = append(binary.AppendUvarint(append(series, samples1), uint64(len(part))), part...)
		}
		out = append(binary.AppendUvarint(append(out, series1), uint64(len(series))), series...)
	}
	return snappy.Encode(nil, out)
}

func appendText(dst []byte, field uint64, s string) []byte {
	dst = binary.AppendUvarint(append(dst, byte(tag(field, wireBytes))), uint64(len(s)))
	return append(dst, s...)
}
