package chart

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// update is set by go test -update: golden files are written anew, then looked at.
var update = flag.Bool("update", false, "write the golden files")

const minute = int64(60_000)

func wave(from int64, n int, base, swing float64) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{T: from + int64(i)*minute, V: base + swing*math.Sin(float64(i)/6)}
	}
	return points
}

func TestGolden(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	from := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC).UnixMilli()
	broken := wave(from, 60, 0.5, 0.3)
	broken[20].V = math.NaN()
	broken = append(broken[:35], broken[45:]...)
	charts := map[string]string{
		"share-with-gaps-and-thresholds": (&Lines{Title: "filesystem /", Lines: []Line{{"/ used", broken}}, From: from, To: from + 60*minute, Zone: shanghai,
			Unit: Share, Top: 1, Gap: 2 * minute, Thresholds: []Threshold{{"warning", 0.8, false}, {"critical", 0.9, true}}}).SVG(),
		"bytes-two-lines": (&Lines{Title: "memory", Lines: []Line{{"used", wave(from, 60, 3e9, 1e9)}, {"cached <&\">", wave(from, 60, 1.2e9, 2e8)}},
			From: from, To: from + 60*minute, Unit: Bytes, Zone: time.UTC}).SVG(),
		"seconds-one-point": (&Lines{Title: "answer", Lines: []Line{{"http", []Point{{from + 5*minute, 0.034}}}}, From: from, To: from + 10*minute, Unit: Seconds}).SVG(),
		"seven-days":        (&Lines{Title: "load", Lines: []Line{{"1 min", wave(from, 7*1440, 2, 1)[:60]}}, From: from, To: from + 7*1440*minute, Zone: shanghai}).SVG(),
		"empty":             (&Lines{Title: "nothing", From: from, To: from + 60*minute, Empty: "no samples in this range"}).SVG(),
		"strip": (&Strip{Title: "shop, November", Cells: []Cell{{State: "up", Title: "2026-11-01: 100 %"}, {State: "degraded", Title: "2026-11-02"},
			{State: "down", Title: "2026-11-03: 31 min down", Link: "/outages/1"}, {State: "unknown", Title: "2026-11-04 <no data>"}, {Title: "still to come"}}, Gap: 1}).SVG(),
		"strip-of-intervals": (&Strip{Title: "around the outage", Cells: []Cell{{State: "up", Width: 3_600_000}, {State: "down", Width: 2000, Title: "2 s"}, {State: "up", Width: 3_600_000}}}).SVG(),
		"spark":              (&Spark{Title: "cpu", Points: wave(from, 30, 0.4, 0.2), Top: 1}).SVG(),
	}
	for name, got := range charts {
		if err := wellFormed(got); err != nil {
			t.Errorf("%s is not XML: %v", name, err)
		}
		if strings.Contains(got, "style=") || strings.Contains(got, "<script") {
			t.Errorf("%s breaks the pages' content security policy", name)
		}
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got+"\n" != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit Unit
		v    float64
		want string
	}{
		{Share, 0.341, "34.1 %"}, {Share, 0, "0 %"}, {Share, 1, "100 %"}, {Share, 0.0004, "0.04 %"}, {Share, 0.8598, "85.9 %"}, {Share, 0.29, "29 %"}, {Share, 0.07, "7 %"},
		{Bytes, 1.5 * (1 << 30), "1.5 GiB"}, {Bytes, 12, "12 B"}, {BytesPerSecond, 2048, "2 KiB/s"},
		{Seconds, 0.25, "250 ms"}, {Seconds, 0, "0 s"}, {Seconds, 7200, "2 h"}, {Seconds, 2e-6, "2 µs"},
		{Number, 1234567, "1.23 M"}, {Number, 0.5, "0.5"}, {PerSecond, 1500, "1.5 k/s"}, {Number, math.NaN(), "–"},
	} {
		if got := c.unit.Format(c.v); got != c.want {
			t.Errorf("Format(%v) in unit %d: got %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

// TestAxisHasAFewRoundSteps: between 2 and 9 ticks for any span.
func TestAxisHasAFewRoundSteps(t *testing.T) {
	for u := Number; u <= Seconds; u++ {
		for _, hi := range []float64{1e-6, 0.003, 0.5, 1, 7, 99, 1023, 5e6, 3e9, 8e12} {
			first, step, _ := u.axis(0, hi, 4)
			if n := int((hi-first)/step) + 1; first != 0 || n < 2 || n > 9 {
				t.Errorf("unit %d up to %v: first %v, step %v, %d ticks", u, hi, first, step, n)
			}
		}
	}
}

// FuzzEscape: any text inside a chart leaves it well-formed.
func FuzzEscape(f *testing.F) {
	f.Add(`a<b>&"'` + "\x00\xff")
	f.Fuzz(func(t *testing.T, name string) {
		svg := (&Lines{Title: name, Lines: []Line{{name, []Point{{1, 2}, {3, 4}}}}, From: 0, To: 5, Empty: name}).SVG()
		if err := wellFormed(svg); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	})
}

// TestThresholdNameIsReadable: the name of a threshold stands where the line
// of the data does not run: above or below it, at its right or left end.
func TestThresholdNameIsReadable(t *testing.T) {
	flat := func(from, to int64, v float64) []Point { return []Point{{from * minute, v}, {to * minute, v}} }
	var zigzag []Point
	for m := range int64(61) {
		zigzag = append(zigzag, Point{m * minute, float64(60 + m%2*40)})
	}
	for _, c := range []struct {
		name   string
		points []Point
		anchor string
		below  bool
	}{
		{"no data near", flat(0, 60, 10), "end", false},
		{"just above the threshold", flat(0, 60, 83), "end", true},
		{"just below the threshold", flat(0, 60, 79), "end", false},
		{"on the threshold at the end", flat(50, 60, 80), "end", true},
		{"rises through it at the end", []Point{{0, 10}, {55 * minute, 10}, {60 * minute, 95}}, "start", false},
		{"up and down everywhere: nowhere is better", zigzag, "end", false},
	} {
		svg := (&Lines{Lines: []Line{{"used", c.points}}, From: 0, To: 60 * minute, Top: 100, Width: 900, Height: 240, Thresholds: []Threshold{{"threshold", 80, true}}}).SVG()
		y := 216.0 - 204*0.8 // of the threshold
		want := "y=\"" + num(y-3) + "\">threshold 80"
		if c.below {
			want = "y=\"" + num(y+13) + "\">threshold 80"
		}
		_, label, _ := strings.Cut(svg, `<text class="threshold critical"`)
		label, _, _ = strings.Cut(label, "</text>")
		if !strings.Contains(label, want) || !strings.Contains(label, `text-anchor="`+c.anchor+`"`) {
			t.Errorf("%s: got %s, want %s at the %s", c.name, label, want, c.anchor)
		}
	}
}
