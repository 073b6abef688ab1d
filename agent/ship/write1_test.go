package ship

import (
	"math"
	"reflect"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// decode1 reads a message with Prometheus's own decoder.
func decode1(t testing.TB, packed []byte) prompb.WriteRequest {
	t.Helper()
	plain, err := snappy.Decode(nil, packed)
	if err != nil {
		t.Fatal(err)
	}
	var r prompb.WriteRequest
	if err := r.Unmarshal(plain); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWrite1(t *testing.T) {
	var set sample.Set
	set.Reset(1_700_000_000_123)
	set.Add("up", 1)
	set.Add("node_cpu_seconds_total", 12.5, "cpu", "0", "mode", "idle")
	set.Add("with_instance", math.Inf(1), "instance", "its-own")
	packed, err := sample.NewEncoder().Encode(&set)
	if err != nil {
		t.Fatal(err)
	}
	got, err := write1(packed, []string{"instance", "web-1", "job", "node"})
	if err != nil {
		t.Fatal(err)
	}
	label := func(pairs ...string) (out []prompb.Label) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	want := []prompb.TimeSeries{
		{Labels: label("__name__", "up", "instance", "web-1", "job", "node"), Samples: []prompb.Sample{{Value: 1, Timestamp: 1_700_000_000_123}}},
		{Labels: label("__name__", "node_cpu_seconds_total", "cpu", "0", "instance", "web-1", "job", "node", "mode", "idle"), Samples: []prompb.Sample{{Value: 12.5, Timestamp: 1_700_000_000_123}}},
		{Labels: label("__name__", "with_instance", "instance", "its-own", "job", "node"), Samples: []prompb.Sample{{Value: math.Inf(1), Timestamp: 1_700_000_000_123}}},
	}
	if r := decode1(t, got); !reflect.DeepEqual(r.Timeseries, want) {
		t.Errorf("got  %v\nwant %v", r.Timeseries, want)
	}
}

// TestWrite1KeepsEverySample: whatever was measured, each sample is there
// once, with its bits, its instant and all its labels.
func TestWrite1KeepsEverySample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set sample.Set
		type key struct {
			name string
			v    uint64
			at   int64
		}
		want := map[key]int{}
		for range rapid.IntRange(0, 20).Draw(t, "samples") {
			at := rapid.Int64Range(-1, math.MaxInt64).Draw(t, "at")
			name, v := rapid.StringMatching(`[a-z_]{1,8}`).Draw(t, "name"), rapid.Float64().Draw(t, "value")
			set.AddAt(at, name, v)
			want[key{name, math.Float64bits(v + 0), at}]++ // protobuf does not tell -0 from 0
		}
		packed, err := sample.NewEncoder().Encode(&set)
		if err != nil {
			t.Fatal(err)
		}
		got, err := write1(packed, []string{"job", "node"})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := snappy.Decode(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		var r prompb.WriteRequest
		if err := r.Unmarshal(plain); err != nil {
			t.Fatal(err)
		}
		for _, ts := range r.Timeseries {
			for _, s := range ts.Samples {
				want[key{ts.Labels[0].Value, math.Float64bits(s.Value), s.Timestamp}]--
			}
		}
		for k, n := range want {
			if n != 0 {
				t.Fatalf("%+v: %d too few (negative: too many)", k, n)
			}
		}
	})
}

// FuzzWrite1: a damaged record is an error, never a panic.
func FuzzWrite1(f *testing.F) {
	var set sample.Set
	set.Reset(1)
	set.Add("up", 1, "a", "b")
	packed, err := sample.NewEncoder().Encode(&set)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := snappy.DecodedLen(data); err != nil || n > 1<<20 {
			return
		}
		if out, err := write1(data, []string{"job", "node"}); err == nil {
			decode1(t, out)
		}
	})
}
