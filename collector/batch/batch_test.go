package batch

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// received is the instant of receipt of every test record.
const received = int64(1_700_000_000_000)

// row is a series as a sender states it.
type row struct {
	labels []string // name, value, name, value …
	points []point
}

type point struct {
	t int64
	v float64
}

func envelope(kind wire.Kind) wire.Envelope {
	return wire.Envelope{Kind: kind, Host: "h1", Instance: "web-1", Customer: "acme", Job: "node", ReceivedAt: received}
}

// body1 and body2 encode rows with the libraries that senders use.
func body1(t testing.TB, rows []row) []byte {
	t.Helper()
	var req prompb.WriteRequest
	for _, r := range rows {
		var ts prompb.TimeSeries
		for i := 0; i < len(r.labels); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: r.labels[i], Value: r.labels[i+1]})
		}
		for _, p := range r.points {
			ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: p.t, Value: p.v})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	raw, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

func request2(rows []row) *writev2.Request {
	req := &writev2.Request{Symbols: []string{""}}
	seen := map[string]uint32{"": 0}
	ref := func(s string) uint32 {
		if _, ok := seen[s]; !ok {
			seen[s] = uint32(len(req.Symbols))
			req.Symbols = append(req.Symbols, s)
		}
		return seen[s]
	}
	for _, r := range rows {
		ts := &writev2.TimeSeries{}
		for _, s := range r.labels {
			ts.LabelsRefs = append(ts.LabelsRefs, ref(s))
		}
		for _, p := range r.points {
			ts.Samples = append(ts.Samples, &writev2.Sample{Timestamp: p.t, Value: p.v})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

func body2(t testing.TB, rows []row) []byte {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(request2(rows))
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

// encode gives rows as a body of either version.
func encode(t testing.TB, kind wire.Kind, rows []row) []byte {
	if kind == wire.KindBatch1 {
		return body1(t, rows)
	}
	return body2(t, rows)
}

// both runs a test for each version of remote write.
func both(t *testing.T, f func(t *testing.T, kind wire.Kind)) {
	t.Run("rw1", func(t *testing.T) { f(t, wire.KindBatch1) })
	t.Run("rw2", func(t *testing.T) { f(t, wire.KindBatch2) })
}

// lines prints samples the way a person would check them.
func lines(samples []Sample) []string {
	var out []string
	for _, s := range samples {
		out = append(out, fmt.Sprintf("%s %d %v", s.Series.Labels, s.T, s.V))
	}
	return out
}

func rejections(b *Batch) []string {
	var out []string
	for _, r := range b.Rejected {
		out = append(out, fmt.Sprintf("%d %s: %s", r.Count, r.Reason, r.Detail))
	}
	return out
}

func TestIdentityOverridesThePayload(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []string
		want string
	}{
		{"plain", []string{"__name__", "up"}, `{__name__="up", customer="acme", instance="web-1", job="node"}`},
		{"another host's name", []string{"__name__", "up", "instance", "db-9"}, `{__name__="up", customer="acme", instance="web-1", job="node"}`},
		{"another customer's data", []string{"__name__", "up", "customer", "globex", "job", "x"}, `{__name__="up", customer="acme", instance="web-1", job="node"}`},
		{"not in order", []string{"mode", "idle", "__name__", "cpu"}, `{__name__="cpu", customer="acme", instance="web-1", job="node", mode="idle"}`},
		{"empty value is no label", []string{"__name__", "cpu", "mode", ""}, `{__name__="cpu", customer="acme", instance="web-1", job="node"}`},
		{"any UTF-8", []string{"__name__", "磁盘", "å", "ö"}, `{__name__="磁盘", customer="acme", instance="web-1", job="node", "å"="ö"}`},
	} {
		both(t, func(t *testing.T, kind wire.Kind) {
			got, err := NewDecoder(Defaults()).Decode(envelope(kind), encode(t, kind, []row{{c.in, []point{{received, 1}}}}))
			if err != nil || len(got.Samples) != 1 {
				t.Fatalf("%s: got %v, error %v", c.name, got, err)
			}
			if s := got.Samples[0].Series.Labels.String(); s != c.want {
				t.Errorf("%s: got %s, want %s", c.name, s, c.want)
			}
		})
	}
	t.Run("no customer known", func(t *testing.T) {
		env := envelope(wire.KindBatch2)
		env.Customer = ""
		got, err := NewDecoder(Defaults()).Decode(env, body2(t, []row{{[]string{"__name__", "up", "customer", "globex"}, []point{{received, 1}}}}))
		if err != nil || got.Samples[0].Series.Labels.Has("customer") {
			t.Errorf("got %v, error %v: a host must not name its customer", lines(got.Samples), err)
		}
	})
}

func TestSingleSamplesAreRefused(t *testing.T) {
	ok := []point{{received, 1}}
	for _, c := range []struct {
		name string
		in   row
		kept int
		want []string
	}{
		{"value is not judged", row{[]string{"__name__", "a"}, []point{{received, math.Inf(1)}, {received + 1, 0}}}, 2, nil},
		{"ten minutes ahead", row{[]string{"__name__", "a"}, []point{{received + 600_000, 1}}}, 1, nil},
		{"a millisecond more", row{[]string{"__name__", "a"}, []point{{received + 600_001, 1}, {received, 2}}}, 1,
			[]string{"1 timestamp: timestamp 1700000600001 ms is more than 10m0s ahead of the collector's clock"}},
		{"1970", row{[]string{"__name__", "a"}, []point{{0, 1}, {-1, 1}}}, 0, []string{"2 timestamp: timestamp 0 ms is not after 1970"}},
		{"no name", row{[]string{"a", "b"}, ok}, 0, []string{"1 labels: no metric name"}},
		{"empty name", row{[]string{"__name__", ""}, ok}, 0, []string{"1 labels: no metric name"}},
		{"label twice", row{[]string{"__name__", "a", "b", "1", "b", "2"}, ok}, 0, []string{`1 labels: label "b" twice`}},
		{"label without a name", row{[]string{"__name__", "a", "", "1"}, ok}, 0, []string{"1 labels: label without a name"}},
	} {
		both(t, func(t *testing.T, kind wire.Kind) {
			rows := []row{c.in, {[]string{"__name__", "other"}, ok}}
			got, err := NewDecoder(Defaults()).Decode(envelope(kind), encode(t, kind, rows))
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if diff := cmp.Diff(c.want, rejections(got)); diff != "" {
				t.Errorf("%s: rejections (-want +got):\n%s", c.name, diff)
			}
			if len(got.Samples) != c.kept+1 || (got.Partial() == nil) != (c.want == nil) {
				t.Errorf("%s: got %v, want %d samples and the other series", c.name, lines(got.Samples), c.kept)
			}
		})
	}
}

func TestLongLabelsAreRefused(t *testing.T) {
	limits := Defaults()
	limits.Labels, limits.NameBytes, limits.ValueBytes = 2, 10, 5
	for _, c := range []struct{ name, value, want string }{
		{"0123456789", "12345", ""},
		{"01234567890", "1", "1 labels: label name of 11 bytes, at most 10"},
		{"b", "123456", `1 labels: value of label "b" has 6 bytes, at most 5`},
	} {
		got, err := NewDecoder(limits).Decode(envelope(wire.KindBatch2), body2(t, []row{{[]string{"__name__", "a", c.name, c.value}, []point{{received, 1}}}}))
		if err != nil {
			t.Fatal(err)
		}
		if r := rejections(got); (c.want == "") != (r == nil) || c.want != "" && r[0] != c.want {
			t.Errorf("%s=%s: got %q, want %q", c.name, c.value, r, c.want)
		}
	}
	got, err := NewDecoder(limits).Decode(envelope(wire.KindBatch1), body1(t, []row{{[]string{"__name__", "a", "b", "1", "c", "2"}, []point{{received, 1}}}}))
	if err != nil || len(got.Rejected) != 1 || got.Rejected[0].Detail != "more than 2 labels" {
		t.Errorf("three labels: got %v, error %v", rejections(got), err)
	}
}

func TestWholeBodiesAreRefused(t *testing.T) {
	limits := Defaults()
	limits.CompressedBytes, limits.DecodedBytes, limits.Samples, limits.Symbols = 2000, 4000, 3, 10
	many := func(series, points int) []row {
		var rows []row
		for i := range series {
			r := row{labels: []string{"__name__", fmt.Sprint("m", i)}}
			for j := range points {
				r.points = append(r.points, point{received + int64(j), 1})
			}
			rows = append(rows, r)
		}
		return rows
	}
	bomb := append([]byte{0xff, 0xff, 0xff, 0xff, 0x03}, make([]byte, 60)...) // says 1 GB
	wide := append([]byte{0xa0, 0x1f}, make([]byte, 18)...)                   // 20 bytes say 4000
	for _, c := range []struct {
		name   string
		body   []byte
		status int
		want   string
	}{
		{"nothing", nil, 400, "malformed body: not snappy (block format)"},
		{"text", []byte("hello, world"), 400, "malformed body: snappy data damaged or cut short"},
		{"claims a gigabyte", bomb, 413, "body says it decodes to 1073741823 bytes, at most 4000"},
		{"ratio", wide, 413, "body of 20 bytes says it decodes to 4000: more than 100 times its size"},
		{"compressed", make([]byte, 2001), 413, "body of 2001 bytes, at most 2000"},
		{"samples", body2(t, many(1, 4)), 413, "more than 3 samples in one body"},
		{"symbols", body2(t, many(10, 0)), 413, "more than 10 symbols in one body"},
		{"label sections", body1(t, many(11, 0)), 413, "more than 10 time series in one body"},
		{"cut protobuf", snappy.Encode(nil, []byte{series2, 9, 1}), 400, "malformed body: time series at byte 1 is cut short"},
		{"reference out of range", snappy.Encode(nil, []byte{symbols2, 0, series2, 4, refs2, 2, 0, 9}), 400, "malformed body: label reference 9 of 1 symbols"},
		{"odd references", snappy.Encode(nil, []byte{symbols2, 0, series2, 3, refs2, 1, 0}), 400, "malformed body: label reference cut short, or a name without a value"},
		{"first symbol", snappy.Encode(nil, []byte{symbols2, 1, 'a'}), 400, "malformed body: first symbol is not the empty text"},
		{"group", snappy.Encode(nil, []byte{0x0b, 0x0c}), 400, "malformed body: field at byte 1"},
	} {
		kind := wire.KindBatch2
		if c.name == "label sections" {
			kind = wire.KindBatch1
		}
		_, err := NewDecoder(limits).Decode(envelope(kind), c.body)
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != c.status || refused.Detail != c.want {
			t.Errorf("%s: got %v, want %d %s", c.name, err, c.status, c.want)
		}
	}
}

func TestSeriesLimitKeepsExistingSeries(t *testing.T) {
	limits := Defaults()
	limits.SeriesPerHost = 2
	both(t, func(t *testing.T, kind wire.Kind) {
		d := NewDecoder(limits)
		send := func(at int64, names ...string) (kept int, rejected []string) {
			var rows []row
			for _, n := range names {
				rows = append(rows, row{[]string{"__name__", n}, []point{{at, 1}}})
			}
			env := envelope(kind)
			env.ReceivedAt = at
			got, err := d.Decode(env, encode(t, kind, rows))
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Samples), rejections(got)
		}
		const hour = 3_600_000
		for i, c := range []struct {
			at    int64
			names []string
			kept  int
		}{
			{0, []string{"a", "b"}, 2},
			{1, []string{"c", "a"}, 1},
			{hour, []string{"a"}, 1},          // b was asked for in the generation before
			{hour + 1, []string{"c"}, 0},      // so it still counts
			{2 * hour, []string{"a"}, 1},      // b forgotten
			{2*hour + 1, []string{"c"}, 1},    // room
			{2*hour + 2, []string{"b"}, 0},    // none left
			{4 * hour, []string{"c", "a"}, 2}, // the living are never refused
		} {
			if kept, why := send(received+c.at, c.names...); kept != c.kept {
				t.Errorf("row %d %v: got %d kept (%v), want %d", i, c.names, kept, why, c.kept)
			}
		}
		other := envelope(kind)
		other.Host, other.Instance = "h2", "web-2"
		got, err := d.Decode(other, encode(t, kind, []row{{[]string{"__name__", "z"}, []point{{received, 1}}}}))
		if err != nil || len(got.Samples) != 1 {
			t.Errorf("another host: got %v, error %v, want it unaffected", got, err)
		}
	})
}

func TestFacts(t *testing.T) {
	both(t, func(t *testing.T, kind wire.Kind) {
		got, err := NewDecoder(Defaults()).Decode(envelope(kind), encode(t, kind, []row{
			{[]string{"__name__", "up"}, []point{{received, 1}}},
			{[]string{"__name__", "node_load1"}, []point{{received, 7}}},
			{[]string{"__name__", "plimsoll_check_state", "component", "shop", "check", "http"}, []point{{received, 0.5}, {received + 1, 0}}},
			{[]string{"__name__", "plimsoll_check_state", "check", "of nothing"}, []point{{received, 1}}},
		}))
		if err != nil {
			t.Fatal(err)
		}
		var facts []string
		for _, f := range got.Facts {
			facts = append(facts, fmt.Sprint(f.Series.Fact, " ", f.Series.Component, " ", f.T-received, " ", f.V))
		}
		if diff := cmp.Diff([]string{"1 web-1 0 1", "2 shop 0 0.5", "2 shop 1 0"}, facts); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	})
}

func TestHistogramsAndExemplarsAreCountedAndSkipped(t *testing.T) {
	req2 := request2([]row{{[]string{"__name__", "a"}, []point{{received, 1}}}})
	req2.Timeseries[0].Histograms = []*writev2.Histogram{{Sum: 1, Timestamp: received}}
	req2.Timeseries[0].Exemplars = []*writev2.Exemplar{{Value: 1}, {Value: 2}}
	req2.Timeseries[0].Metadata = &writev2.Metadata{HelpRef: 1}
	raw2, err := proto.Marshal(req2)
	if err != nil {
		t.Fatal(err)
	}
	req1 := prompb.WriteRequest{Metadata: []prompb.MetricMetadata{{Help: "text"}}, Timeseries: []prompb.TimeSeries{{
		Labels: []prompb.Label{{Name: "__name__", Value: "a"}}, Samples: []prompb.Sample{{Value: 1, Timestamp: received}},
		Histograms: []prompb.Histogram{{Sum: 1}}, Exemplars: []prompb.Exemplar{{Value: 1}, {Value: 2}},
	}}}
	raw1, err := req1.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for kind, raw := range map[wire.Kind][]byte{wire.KindBatch1: raw1, wire.KindBatch2: raw2} {
		got, err := NewDecoder(Defaults()).Decode(envelope(kind), snappy.Encode(nil, raw))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"1 histogram: histograms are not kept", "2 exemplar: exemplars are not kept"}
		if diff := cmp.Diff(want, rejections(got)); diff != "" || len(got.Samples) != 1 || got.Partial() != nil {
			t.Errorf("kind %d: samples %v, rejections (-want +got):\n%s", kind, lines(got.Samples), diff)
		}
	}
}

func TestNotes(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"at":1,"start":{"version":"1","clean_stop":true}}`, ""},
		{`{"at":1,"change":{"component":"shop","check":"http","from":"up","to":"down","reason":"refused"},"of_a_newer_agent":1}`, ""},
		{`{"at":1,"loss":{"records":3,"from_seq":4,"to_seq":6}}`, ""},
		{`{"at":1}`, "malformed body: note with 0 of its parts, want exactly one of start, change, loss"},
		{`{"start":{},"loss":{}}`, "malformed body: note with 2 of its parts, want exactly one of start, change, loss"},
		{`{"change":{"component":"shop","to":"broken"}}`, `malformed body: note: change from "" to "broken", want up, degraded, down or unknown`},
		{`{"change":{"to":"up"}}`, "malformed body: note: change without a component"},
		{`[]`, "malformed body: note: json: cannot unmarshal array into Go value of type wire.Note"},
		{"{\"x\":\"\xff\"}", "malformed body: note is not UTF-8"},
	} {
		got, err := NewDecoder(Defaults()).Decode(envelope(wire.KindNote), []byte(c.body))
		if c.want == "" && (err != nil || got.Note == nil) || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: got %v, want %q", c.body, err, c.want)
		}
	}
}

// anyRows draws a body as a sender could make it, its labels valid. The 1.0
// encoder of Prometheus drops the sign of a zero, hence + 0.
func anyRows(t *rapid.T) []row {
	names := rapid.SampledFrom([]string{"up", "a", "b", "c", "d", "plimsoll_check_state"})
	var rows []row
	for range rapid.IntRange(0, 12).Draw(t, "series") {
		r := row{labels: []string{"__name__", names.Draw(t, "name")}}
		for _, n := range []string{"component", "job", "x"} {
			if rapid.Bool().Draw(t, n) {
				r.labels = append(r.labels, n, rapid.SampledFrom([]string{"1", "2", "long value 3"}).Draw(t, "value"))
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "points") {
			r.points = append(r.points, point{rapid.Int64Range(1, received).Draw(t, "t"), rapid.Float64().Draw(t, "v") + 0})
		}
		rows = append(rows, r)
	}
	return rows
}

// plain decodes rows without any of the decoder's shortcuts.
func plain(rows []row) []string {
	var out []string
	for _, r := range rows {
		b := labels.NewBuilder(labels.FromStrings(r.labels...))
		b.Set("job", "node").Set("instance", "web-1").Set("customer", "acme").Del(SenderLabel)
		for _, p := range r.points {
			out = append(out, fmt.Sprintf("%s %d %v", b.Labels(), p.t, p.v))
		}
	}
	return out
}

func TestCachesChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limits := Defaults()
		limits.Behind = 0
		d, bySeries := NewDecoder(limits), map[string]*Series{}
		pool := [][]row{anyRows(rt), anyRows(rt), anyRows(rt)}
		for range rapid.IntRange(1, 12).Draw(rt, "bodies") {
			rows := rapid.SampledFrom(pool).Draw(rt, "rows")
			kind := rapid.SampledFrom([]wire.Kind{wire.KindBatch1, wire.KindBatch2}).Draw(rt, "kind")
			got, err := d.Decode(envelope(kind), encode(t, kind, rows))
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(plain(rows), lines(got.Samples)); diff != "" {
				rt.Fatalf("samples (-want +got):\n%s", diff)
			}
			for _, s := range got.Samples {
				name := s.Series.Labels.String()
				if was := bySeries[name]; was != nil && was != s.Series {
					rt.Fatalf("%s: two pointers for one series", name)
				}
				bySeries[name] = s.Series
			}
			again, err := NewDecoder(limits).Decode(envelope(wire.KindBatch1), Encode(got.Samples))
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(lines(got.Samples), lines(again.Samples)); diff != "" {
				rt.Fatalf("encoded and decoded (-want +got):\n%s", diff)
			}
		}
	})
}

func TestGenerationsKeepThePointer(t *testing.T) {
	d := NewDecoder(Defaults())
	var first *Series
	for i := range 5 {
		env := envelope(wire.KindBatch2)
		env.ReceivedAt += int64(i) * time.Hour.Milliseconds()
		got, err := d.Decode(env, body2(t, []row{{[]string{"__name__", "a"}, []point{{received, 1}}}}))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got.Samples[0].Series
		}
		if got.Samples[0].Series != first {
			t.Errorf("hour %d: another pointer for the same series", i)
		}
	}
}
