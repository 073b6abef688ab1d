package check

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// said is a value as the rows below write it.
func said(p Performance) string {
	text := fmt.Sprintf("%s=%v%s", p.Label, p.Value, p.Unit)
	for i, bound := range [...]float64{p.Warning, p.Critical, p.Min, p.Max} {
		if !math.IsNaN(bound) {
			text += fmt.Sprintf(" %s%v", [...]string{"w", "c", "min", "max"}[i], bound)
		}
	}
	return text
}

func TestPerformance(t *testing.T) {
	rows := []struct {
		name, out, want string
		unread          int
		cut             bool
	}{
		{"none", "OK - all is well", "", 0, false},
		{"check_load of Debian", "LOAD OK - total load average: 0.5, 0.6, 0.7|load1=0.500;5.000;10.000;0; load5=0.600;4.000;6.000;0; load15=0.700;3.000;4.000;0;",
			"load1=0.5 w5 c10 min0, load5=0.6 w4 c6 min0, load15=0.7 w3 c4 min0", 0, false},
		{"check_disk of Debian", "DISK OK - free space: / 5000 MiB (50% inode=90%);| /=5242880000B;8388608000;9437184000;0;10485760000", "/=5.24288e+09B w8.388608e+09 c9.437184e+09 min0 max1.048576e+10", 0, false},
		{"check_ping of Debian", "PING OK - Packet loss = 0%, RTA = 0.05 ms|rta=0.050000ms;100.000000;500.000000;0.000000 pl=0%;20;60;0", "rta=0.05ms w100 c500 min0, pl=0% w20 c60 min0", 0, false},
		{"a label with a blank, a quote and a sign", "x|'free it''s = 1'=12%;~:5", "free it's = 1=12%", 0, false},
		{"ranges are no single bound", "x|a=1;10:20;@5:6;0;9", "a=1 min0 max9", 0, false},
		{"after the long text", "first|a=1\nlong\nmore|b=2\nc=3", "a=1, b=2, c=3", 0, false},
		{"undetermined is no value and no fault", "x|a=U;1;2 b=1", "b=1", 0, false},
		{"negative, exponent", "x|a=-1.5 b=1e3B", "a=-1.5, b=1000B", 0, false},
		{"no label, no value, no number, twice", "x|=1 a= b=one c=1 c=2 d", "c=1", 5, false},
		{"a comma is no point", "x|a=1,5", "", 1, false},
		{"not a number", "x|a=NaN b=Inf c=0x10 d=1_000", "", 4, false},
		{"a quote left open", "x|a=1 'b=2", "a=1", 1, false},
		{"cut off: the last may be half of it", "x|a=1 b=12", "a=1", 1, true},
		{"too long a label", "x|" + strings.Repeat("l", maxLabel+1) + "=1", "", 1, false},
		{"too many fields", "x|a=1;2;3;4;5;6", "", 1, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, data, _ := splitOutput(row.out)
			all, unread := readPerformance(data, row.cut)
			var got []string
			for _, p := range all {
				got = append(got, said(p))
			}
			if strings.Join(got, ", ") != row.want || unread != row.unread {
				t.Errorf("got %q, %d unread; want %q, %d", got, unread, row.want, row.unread)
			}
		})
	}
}

func TestPerformanceIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "l%d=1 ", i)
	}
	if all, unread := readPerformance(text.String(), false); len(all) != maxPerformance || unread != 100-maxPerformance {
		t.Errorf("got %d values, %d unread", len(all), unread)
	}
}

// FuzzPerformance: whatever a plugin writes, what is taken of it is bounded,
// finite and can be a label.
func FuzzPerformance(f *testing.F) {
	for _, seed := range []string{"x|a=1;2;3;4;5", "x|'a b'=1%;~:5;@1:2\nmore|c=U", "|=|'", "x|''''=1", "x|a='1'='2'", "|0=0AA\xa3A"} {
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, out string, cut bool) {
		text, data, _ := splitOutput(out)
		if len(text)+len(data) > len(out)+2 {
			t.Fatalf("%q became longer: %q, %q", out, text, data)
		}
		all, unread := readPerformance(data, cut)
		if len(all) > maxPerformance || unread < 0 || len(all)+unread > len(data)+1 {
			t.Fatalf("%d values, %d unread of %d bytes", len(all), unread, len(data))
		}
		seen := map[string]bool{}
		for _, p := range all {
			if p.Label == "" || len(p.Label) > maxLabel || !utf8.ValidString(p.Label) || !utf8.ValidString(p.Unit) || len(p.Unit) > maxUnit || seen[p.Label] {
				t.Fatalf("took %+v", p)
			}
			seen[p.Label] = true
			for _, v := range [...]float64{p.Value, p.Warning, p.Critical, p.Min, p.Max} {
				if math.IsInf(v, 0) {
					t.Fatalf("took %+v", p)
				}
			}
		}
	})
}
