package api

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// promWriter writes JSON as Prometheus's API has it: a value is a pair of
// seconds and text. It writes straight through, as a result may be large; an
// error of the connection is kept by the buffer and ends the writing.
type promWriter struct {
	out     *bufio.Writer
	scratch []byte
}

func newPromWriter(w io.Writer) *promWriter {
	return &promWriter{out: bufio.NewWriterSize(w, 32<<10), scratch: make([]byte, 0, 64)}
}

func (w *promWriter) text(s string) { _, _ = w.out.WriteString(s) } // see promWriter

func (w *promWriter) flush() { _ = w.out.Flush() } // the caller may have gone

// string writes s quoted.
func (w *promWriter) string(s string) {
	if plain(s) {
		w.text(`"`)
		w.text(s)
		w.text(`"`)
		return
	}
	b, err := json.Marshal(s)
	if err != nil { // a string always can be
		b = []byte(`""`)
	}
	_, _ = w.out.Write(b)
}

// plain tells whether s needs no escape in JSON.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// strings writes name and the list of all, or nothing when there are none.
func (w *promWriter) strings(name string, all []string) {
	if len(all) == 0 {
		return
	}
	w.text(name)
	w.list(len(all), func(i int) { w.string(all[i]) })
}

// list writes n elements.
func (w *promWriter) list(n int, element func(i int)) {
	w.text("[")
	for i := range n {
		if i > 0 {
			w.text(",")
		}
		element(i)
	}
	w.text("]")
}

func (w *promWriter) labels(l labels.Labels) {
	w.text("{")
	first := true
	l.Range(func(l labels.Label) {
		if !first {
			w.text(",")
		}
		first = false
		w.string(l.Name)
		w.text(":")
		w.string(l.Value)
	})
	w.text("}")
}

// point writes [seconds,"value"].
func (w *promWriter) point(t int64, v float64) {
	b := w.scratch[:0]
	b = append(b, '[')
	b = appendSeconds(b, t)
	b = append(b, ',', '"')
	b = appendValue(b, v)
	b = append(b, '"', ']')
	_, _ = w.out.Write(b)
	w.scratch = b
}

// result writes the type and the value of a query's result.
func (w *promWriter) result(v parser.Value) {
	w.text(`{"resultType":"` + string(v.Type()) + `","result":`)
	switch v := v.(type) {
	case promql.Vector:
		w.vector(v)
	case promql.Matrix:
		w.matrix(v)
	case promql.Scalar:
		w.point(v.T, v.V)
	case promql.String:
		w.text("[")
		_, _ = w.out.Write(appendSeconds(w.scratch[:0], v.T))
		w.text(",")
		w.string(v.V)
		w.text("]")
	default:
		w.text("[]")
	}
	w.text("}")
}

func (w *promWriter) vector(v promql.Vector) {
	w.list(len(v), func(i int) {
		w.text(`{"metric":`)
		w.labels(v[i].Metric)
		w.text(`,"value":`)
		w.point(v[i].T, v[i].F)
		w.text("}")
	})
}

func (w *promWriter) matrix(m promql.Matrix) {
	w.list(len(m), func(i int) {
		w.text(`{"metric":`)
		w.labels(m[i].Metric)
		w.text(`,"values":`)
		floats := m[i].Floats
		w.list(len(floats), func(j int) { w.point(floats[j].T, floats[j].F) })
		w.text("}")
	})
}

// appendSeconds writes Unix milliseconds as seconds, with three digits behind
// the point when they are not whole.
func appendSeconds(b []byte, ms int64) []byte {
	if ms < 0 {
		b = append(b, '-')
		ms = -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if f := ms % 1000; f != 0 {
		b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	}
	return b
}

// appendValue writes a value as Prometheus does: NaN, +Inf, -Inf, and numbers
// with an exponent only where they are very small or large.
func appendValue(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	case math.IsNaN(v):
		return append(b, "NaN"...)
	}
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
