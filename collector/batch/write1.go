package batch

import "bytes"

// Fields of prometheus.WriteRequest and prometheus.TimeSeries (remote write 1.0).
const (
	series1    = 1<<3 | wireBytes
	labels1    = 1<<3 | wireBytes
	samples1   = 2<<3 | wireBytes
	exemplars1 = 3<<3 | wireBytes
	histogram1 = 4<<3 | wireBytes
)

// write1 walks a WriteRequest.
func (w *walk) write1(body []byte) error {
	if w.host.plain == nil {
		w.host.plain = &shape{}
	}
	w.grow()
	for i, n := 0, 0; i < len(body); {
		t, next := uvarint(body, i)
		if next < 0 {
			return malformed("field at byte %d", i)
		}
		if t != series1 {
			if i = skip(body, next, t); i < 0 {
				return malformed("field at byte %d", next)
			}
			continue
		}
		from, to := chunk(body, next)
		if to < 0 {
			return malformed("time series at byte %d is cut short", next)
		}
		if n >= w.limits.Symbols {
			return tooBig(ReasonTooMany, "more than %d time series in one body", w.limits.Symbols)
		}
		if err := w.timeSeries1(body[from:to]); err != nil {
			return err
		}
		i, n = to, n+1
	}
	return nil
}

// timeSeries1 walks a TimeSeries. Its labels come first and together from
// every known sender: their raw bytes are the key. Label sections in several
// pieces are put together first.
func (w *walk) timeSeries1(m []byte) error {
	sh, begin := w.host.plain, len(w.batch.Samples)
	i, known, at := 0, false, w.likely
	if k := sh.expect(at); len(k) > 0 && len(m) > len(k) && bytes.Equal(m[:len(k)], k) && m[len(k)] != labels1 {
		if w.lone(m[len(k):], samples1) {
			w.assign(begin, sh, at)
			return nil
		}
		i, known = len(k), true
	}
	key, histograms, exemplars := m[:i], 0, 0
	for i < len(m) {
		start := i
		t, next := uvarint(m, i)
		if next < 0 {
			return malformed("field of a time series")
		}
		switch t {
		case labels1:
			if _, i = chunk(m, next); i < 0 {
				return malformed("label is cut short")
			}
			if start == len(key) {
				key = m[:i] // still in one piece
			} else {
				key = append(key[:len(key):len(key)], m[start:i]...)
			}
			known = false
		case samples1:
			from, to := chunk(m, next)
			if to < 0 {
				return malformed("sample is cut short")
			}
			if err := w.sample(m[from:to]); err != nil {
				return err
			}
			i = to
		default:
			switch t {
			case histogram1:
				histograms++
			case exemplars1:
				exemplars++
			}
			if i = skip(m, next, t); i < 0 {
				return malformed("field of a time series")
			}
		}
	}
	w.skipped(ReasonHistogram, histograms)
	w.skipped(ReasonExemplar, exemplars)
	if !known {
		if at, known = w.host.find(sh, w.likely, key); !known {
			s, err := w.parseLabels1(key)
			if err != nil {
				return w.refuse(begin, err)
			}
			at = w.host.learn(sh, key, s)
		}
	}
	w.assign(begin, sh, at)
	return nil
}

// parseLabels1 parses a label section. An *Error refuses the body, any other
// error the series.
func (w *walk) parseLabels1(key []byte) (*Series, error) {
	w.host.begin()
	for i := 0; i < len(key); {
		_, next := uvarint(key, i)
		from, to := chunk(key, next)
		var name, value []byte
		for m, j := key[from:to], 0; j < len(m); {
			var t uint64
			if t, j = uvarint(m, j); j < 0 {
				return nil, malformed("label")
			}
			if t != tag(1, wireBytes) && t != tag(2, wireBytes) {
				if j = skip(m, j, t); j < 0 {
					return nil, malformed("label")
				}
				continue
			}
			begin, end := chunk(m, j)
			if end < 0 {
				return nil, malformed("label is cut short")
			}
			if t == tag(1, wireBytes) {
				name = m[begin:end]
			} else {
				value = m[begin:end]
			}
			j = end
		}
		if err := w.host.add(name, value); err != nil {
			return nil, err
		}
		i = to
	}
	return w.host.intern()
}
