package sample

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"pgregory.net/rapid"
)

// decode reads a message the way a stranger would: by the generated code.
func decode(t testing.TB, body []byte) *writev2.Request {
	t.Helper()
	plain, err := snappy.Decode(nil, body)
	if err != nil {
		t.Fatalf("snappy: %v", err)
	}
	var request writev2.Request
	if err := request.UnmarshalVT(plain); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	return &request
}

// text is a message as one line per sample.
func text(r *writev2.Request) string {
	var b strings.Builder
	for _, series := range r.Timeseries {
		var labels []string
		for i := 0; i < len(series.LabelsRefs); i += 2 {
			labels = append(labels, r.Symbols[series.LabelsRefs[i]]+"="+r.Symbols[series.LabelsRefs[i+1]])
		}
		for _, s := range series.Samples {
			fmt.Fprintf(&b, "%s %v @%d\n", strings.Join(labels, ","), s.Value, s.Timestamp)
		}
	}
	return b.String()
}

func TestEncode(t *testing.T) {
	var set Set
	set.Reset(1000)
	set.Add("up", 1)
	set.Add("node_cpu_seconds_total", 2.5, "cpu", "0", "mode", "idle")
	set.Add("without_label", 4, "empty", "")
	set.Add("not_a_number", math.NaN())
	set.AddAt(700, "plimsoll_check_state", 0, "check", "http", "component", "shop")
	set.AddAt(900, "plimsoll_check_state", 1, "check", "http", "component", "shop")
	body, err := NewEncoder().Encode(&set)
	if err != nil {
		t.Fatal(err)
	}
	request := decode(t, body)
	want := `__name__=up 1 @1000
__name__=node_cpu_seconds_total,cpu=0,mode=idle 2.5 @1000
__name__=without_label 4 @1000
__name__=plimsoll_check_state,check=http,component=shop 0 @700
__name__=plimsoll_check_state,check=http,component=shop 1 @900
`
	if got := text(request); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if len(request.Timeseries) != 4 {
		t.Errorf("got %d entries, want 4: neighbours of one series share one", len(request.Timeseries))
	}
}

// TestLabelSectionRepeats: the symbols of two collections of the same series
// are the same bytes, whatever the encoder did in between.
func TestLabelSectionRepeats(t *testing.T) {
	e := NewEncoder()
	var set Set
	section := func(at int64, v float64, extra bool) []byte {
		set.Reset(at)
		set.Add("up", 1)
		set.Add("node_load1", v)
		if extra {
			set.Add("probe_success", 1, "check", "tcp", "component", "db")
		}
		body, err := e.Encode(&set)
		if err != nil {
			t.Fatal(err)
		}
		r := decode(t, body)
		plain, err := (&writev2.Request{Symbols: r.Symbols}).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	first := section(1000, 0.5, false)
	section(2000, 0.7, true)
	if again := section(3000, 0.9, false); !bytes.Equal(first, again) {
		t.Errorf("label sections differ:\n%q\n%q", first, again)
	}
}

// TestEncodeAnything: what was added comes out, in order, from an encoder
// that has already encoded other sets.
func TestEncodeAnything(t *testing.T) {
	e := NewEncoder()
	rapid.Check(t, func(t *rapid.T) {
		var set Set
		set.Reset(rapid.Int64Range(0, 1<<45).Draw(t, "at"))
		var want strings.Builder
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
			label := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "label")
			v := rapid.Float64().Draw(t, "v") + 0 // the encoding knows no negative zero
			set.Add(name, v, "l", label)
			if label != "" {
				label = ",l=" + label
			}
			fmt.Fprintf(&want, "__name__=%s%s %v @%d\n", name, label, v, set.at)
		}
		body, err := e.Encode(&set)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := snappy.Decode(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var r writev2.Request
		if err := r.UnmarshalVT(plain); err != nil {
			t.Fatal(err)
		}
		if got := text(&r); got != want.String() {
			t.Fatalf("got\n%swant\n%s", got, want.String())
		}
	})
}

func TestIntern(t *testing.T) {
	var set Set
	name := []byte("vda")
	if got := set.Intern(name); got != "vda" {
		t.Fatalf("got %q", got)
	}
	name[2] = 'b'
	if got := set.Intern([]byte("vda")); got != "vda" {
		t.Errorf("an interned text changed with its bytes: %q", got)
	}
	if n := testing.AllocsPerRun(100, func() { set.Intern([]byte("vda")) }); n > 0 {
		t.Errorf("interning a known text allocates %v times, want 0", n)
	}
}

func BenchmarkEncode300(b *testing.B) {
	e := NewEncoder()
	var set Set
	devices := make([]string, 300)
	for i := range devices {
		devices[i] = fmt.Sprintf("vd%d", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		set.Reset(int64(i) * 15000)
		for k, d := range devices {
			set.Add("node_disk_read_bytes_total", float64(i*k), "device", d)
		}
		if _, err := e.Encode(&set); err != nil {
			b.Fatal(err)
		}
	}
}
