package batch

import "bytes"

// Fields of io.prometheus.write.v2.Request and TimeSeries (remote write 2.0).
const (
	symbols2   = 4<<3 | wireBytes
	series2    = 5<<3 | wireBytes
	refs2      = 1<<3 | wireBytes
	samples2   = 2<<3 | wireBytes
	histogram2 = 3<<3 | wireBytes
	exemplars2 = 4<<3 | wireBytes
)

// write2 walks a Request: the symbols section, then the time series.
func (w *walk) write2(body []byte) error {
	sh, i, err := w.shape2(body)
	if err != nil {
		return err
	}
	w.grow()
	for n := 0; i < len(body); {
		t, next := uvarint(body, i)
		switch {
		case next < 0:
			return malformed("field at byte %d", i)
		case t == series2:
			from, to := chunk(body, next)
			if to < 0 {
				return malformed("time series at byte %d is cut short", next)
			}
			if n >= w.limits.Symbols {
				return tooBig(ReasonTooMany, "more than %d time series in one body", w.limits.Symbols)
			}
			if err := w.timeSeries2(sh, body[from:to]); err != nil {
				return err
			}
			i, n = to, n+1
		case t == symbols2:
			// Allowed by protobuf, sent by nobody.
			return malformed("symbols after time series")
		default:
			if i = skip(body, next, t); i < 0 {
				return malformed("field at byte %d", next)
			}
		}
	}
	return nil
}

// shape2 recognises the symbols section or parses it, and returns where it ends.
func (w *walk) shape2(body []byte) (*shape, int, error) {
	h := w.host
	for k, sh := range h.shapes {
		n := len(sh.symbols)
		if len(body) >= n && bytes.Equal(body[:n], sh.symbols) && (len(body) == n || body[n] != symbols2) {
			copy(h.shapes[1:k+1], h.shapes[:k])
			h.shapes[0] = sh
			return sh, n, nil
		}
	}
	sh, i := &shape{}, 0
	for i < len(body) && body[i] == symbols2 {
		from, to := chunk(body, i+1)
		if to < 0 {
			return nil, 0, malformed("symbol at byte %d is cut short", i)
		}
		if len(sh.spans) >= w.limits.Symbols {
			return nil, 0, tooBig(ReasonTooMany, "more than %d symbols in one body", w.limits.Symbols)
		}
		sh.spans = append(sh.spans, span{uint32(from), uint32(to)})
		i = to
	}
	if len(sh.spans) > 0 && sh.spans[0].from != sh.spans[0].to {
		return nil, 0, malformed("first symbol is not the empty text")
	}
	if i > maxSymbols { // known for this body only
		sh.symbols = body[:i]
		return sh, i, nil
	}
	sh.symbols = bytes.Clone(body[:i])
	if len(h.shapes) < maxShapes {
		h.shapes = append(h.shapes, nil)
	}
	copy(h.shapes[1:], h.shapes)
	h.shapes[0] = sh
	return sh, i, nil
}

// timeSeries2 walks a TimeSeries.
func (w *walk) timeSeries2(sh *shape, m []byte) error {
	begin := len(w.batch.Samples)
	if k := sh.expect(w.likely); len(k) > 0 && len(k) < 0x80 && len(m) > len(k)+2 && m[0] == refs2 && int(m[1]) == len(k) &&
		bytes.Equal(m[2:2+len(k)], k) && w.lone(m[2+len(k):], samples2) {
		w.assign(begin, sh, w.likely)
		return nil
	}
	var refs []byte
	histograms, exemplars := 0, 0
	for i := 0; i < len(m); {
		t, next := uvarint(m, i)
		if next < 0 {
			return malformed("field of a time series")
		}
		switch t {
		case refs2:
			from, to := chunk(m, next)
			if to < 0 || refs != nil {
				return malformed("label references of a time series")
			}
			refs, i = m[from:to], to
		case samples2:
			from, to := chunk(m, next)
			if to < 0 {
				return malformed("sample is cut short")
			}
			if err := w.sample(m[from:to]); err != nil {
				return err
			}
			i = to
		case tag(1, wireVarint):
			return malformed("label references are not packed")
		default:
			switch t {
			case histogram2:
				histograms++
			case exemplars2:
				exemplars++
			}
			if i = skip(m, next, t); i < 0 {
				return malformed("field of a time series")
			}
		}
	}
	w.skipped(ReasonHistogram, histograms)
	w.skipped(ReasonExemplar, exemplars)
	at, known := w.host.find(sh, w.likely, refs)
	if !known {
		s, err := w.parseLabels2(sh, refs)
		if err != nil {
			return w.refuse(begin, err)
		}
		at = w.host.learn(sh, refs, s)
	}
	w.assign(begin, sh, at)
	return nil
}

// parseLabels2 resolves a label section. An *Error refuses the body, any
// other error the series.
func (w *walk) parseLabels2(sh *shape, refs []byte) (*Series, error) {
	w.host.begin()
	for i := 0; i < len(refs); {
		var pair [2][]byte
		for j := range pair {
			ref, next := uvarint(refs, i)
			if next < 0 {
				return nil, malformed("label reference cut short, or a name without a value")
			}
			if ref >= uint64(len(sh.spans)) {
				return nil, malformed("label reference %d of %d symbols", ref, len(sh.spans))
			}
			pair[j], i = sh.symbols[sh.spans[ref].from:sh.spans[ref].to], next
		}
		if err := w.host.add(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return w.host.intern()
}
