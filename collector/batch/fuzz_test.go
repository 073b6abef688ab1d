package batch

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/proto"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// seeds are bodies, not compressed, for the fuzzer to start from.
func seeds(f *testing.F, kind wire.Kind) {
	rows := []row{
		{[]string{"__name__", "up"}, []point{{received, 1}}},
		{[]string{"__name__", "plimsoll_check_state", "component", "shop"}, []point{{received - 1, 0}, {received, 0.5}}},
		{[]string{"__name__", "a", "instance", "b"}, nil},
	}
	for n := range len(rows) + 1 {
		raw, err := snappy.Decode(nil, encode(f, kind, rows[:n]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{symbols2, 0, series2, 8, refs2, 0, samples2, 4, 0x10, 1, 0x10, 2})
	f.Add([]byte{series1, 6, samples1, 0, labels1, 2, 0x0a, 0})
}

// fuzzBody checks what holds for every body: no panic; a fresh decoder, one
// that has seen the body, and one that reads back what was accepted agree;
// and what is accepted whole is what the senders' library reads.
func fuzzBody(f *testing.F, kind wire.Kind, library func(raw []byte) ([]row, bool)) {
	seeds(f, kind)
	limits := Defaults()
	limits.Behind = 0
	limits.Ratio = 1 << 20 // the fuzzer's bodies are tiny and repetitive
	f.Fuzz(func(t *testing.T, raw []byte) {
		body := snappy.Encode(nil, raw)
		d := NewDecoder(limits)
		got, err := d.Decode(envelope(kind), body)
		again, err2 := d.Decode(envelope(kind), body)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("first %v, then %v", err, err2)
		}
		if err != nil {
			if whole := new(Error); !errors.As(err, &whole) || whole.Status != 400 && whole.Status != 413 {
				t.Fatalf("got %v, want an *Error with 400 or 413", err)
			}
			return
		}
		if diff := cmp.Diff(lines(got.Samples), lines(again.Samples)); diff != "" {
			t.Fatalf("first and second time (-first +second):\n%s", diff)
		}
		back, err := NewDecoder(limits).Decode(envelope(wire.KindBatch1), Encode(got.Samples))
		if err != nil {
			t.Fatalf("what was accepted is refused when read again: %v", err)
		}
		if diff := cmp.Diff(lines(got.Samples), lines(back.Samples)); diff != "" {
			t.Fatalf("accepted and read again (-accepted +again):\n%s", diff)
		}
		if rows, ok := library(raw); ok && got.Partial() == nil {
			if diff := cmp.Diff(plain(rows), lines(got.Samples)); diff != "" {
				t.Fatalf("library and decoder (-library +decoder):\n%s", diff)
			}
		}
	})
}

func FuzzWrite1(f *testing.F) {
	fuzzBody(f, wire.KindBatch1, func(raw []byte) (rows []row, ok bool) {
		var req prompb.WriteRequest
		if req.Unmarshal(raw) != nil {
			return nil, false
		}
		for _, ts := range req.Timeseries {
			var r row
			for _, l := range ts.Labels {
				r.labels = append(r.labels, l.Name, l.Value)
			}
			for _, s := range ts.Samples {
				r.points = append(r.points, point{s.Timestamp, s.Value})
			}
			rows = append(rows, r)
		}
		return rows, true
	})
}

func FuzzWrite2(f *testing.F) {
	fuzzBody(f, wire.KindBatch2, func(raw []byte) (rows []row, ok bool) {
		var req writev2.Request
		if proto.Unmarshal(raw, &req) != nil {
			return nil, false
		}
		for _, ts := range req.Timeseries {
			var r row
			for _, ref := range ts.LabelsRefs {
				if int(ref) >= len(req.Symbols) {
					return nil, false // the library does not look, we refuse the series
				}
				r.labels = append(r.labels, req.Symbols[ref])
			}
			for _, s := range ts.Samples {
				r.points = append(r.points, point{s.Timestamp, s.Value})
			}
			rows = append(rows, r)
		}
		return rows, true
	})
}

// FuzzCompressed feeds the decoder bytes as they come from the network.
func FuzzCompressed(f *testing.F) {
	f.Add(byte(wire.KindBatch2), body2(f, []row{{[]string{"__name__", "up"}, []point{{received, 1}}}}))
	f.Add(byte(wire.KindBatch1), []byte{0xff, 0xff, 0xff, 0xff, 0x03, 0, 0})
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		if got, err := NewDecoder(Defaults()).Decode(envelope(wire.Kind(kind)), body); err == nil && got == nil {
			t.Fatal("neither a batch nor an error")
		}
	})
}

func FuzzNote(f *testing.F) {
	f.Add([]byte(`{"at":1,"start":{"version":"1","clean_stop":true}}`))
	f.Add([]byte(`{"at":1,"change":{"component":"shop","check":"http","from":"up","to":"down","reason":"refused"}}`))
	f.Add([]byte(`{"at":1,"loss":{"records":3,"from_seq":4,"to_seq":6}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, err := NewDecoder(Defaults()).Decode(envelope(wire.KindNote), body); err == nil && got.Note == nil {
			t.Fatal("neither a note nor an error")
		}
	})
}
