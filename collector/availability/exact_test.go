package availability

import (
	"math/big"
	"testing"
	"time"
)

func TestPrintingIsTruncated(t *testing.T) {
	for _, c := range []struct {
		num, den int64
		decimals int
		want     string
	}{
		{999949, 1000000, 3, "99.994 %"}, {999949, 1000000, 2, "99.99 %"}, {1, 1, 2, "100.00 %"}, {999999999, 1000000000, 2, "99.99 %"},
		{0, 1, 1, "0.0 %"}, {1, 3, 4, "33.3333 %"}, {2, 3, 0, "66 %"}, {-1, 300, 2, "-0.33 %"}, {5, 10000, 3, "0.050 %"},
	} {
		if got := Percent(big.NewRat(c.num, c.den), c.decimals); got != c.want {
			t.Errorf("%d/%d: got %s, want %s", c.num, c.den, got, c.want)
		}
	}
	for share, want := range map[float64]string{0.999: "99.9000 %", 0.99995: "99.9950 %", 0.9999499: "99.9949 %", 1: "100.0000 %", 1e-9: "0.0000 %"} {
		if got := PercentOf(&share, 4); got != want {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
	if Percent(nil, 2) != "-" || PercentOf(nil, 2) != "-" {
		t.Error("no value must print as -")
	}
}

func TestInstants(t *testing.T) {
	for text, want := range map[string]string{
		"2026-10-01T08:00:00+08:00":     "2026-10-01T00:00:00Z",
		"2026-10-01T00:00:00.1239Z":     "2026-10-01T00:00:00.123Z",
		"1969-12-31T23:59:59.9999Z":     "1969-12-31T23:59:59.999Z",
		"2026-02-29T00:00:00Z":          "refused",
		"2024-02-29t00:00:00z":          "2024-02-29T00:00:00Z",
		"2026-10-01T24:00:00Z":          "refused",
		"2026-10-01T08:00:00":           "refused",
		"2026-10-01 08:00:00Z":          "refused",
		"2026-10-01T08:00:00.Z":         "refused",
		"2026-10-01T08:00:00+0800":      "refused",
		"2026-10-01T08:00:60Z":          "refused",
		"1790812800000":                 "2026-10-01T00:00:00Z",
		"-1":                            "1969-12-31T23:59:59.999Z",
		"":                              "refused",
		"-":                             "refused",
		"99999999999999999999":          "refused",
		"0000-01-01T00:00:00Z":          "refused",
		"9999-12-31T23:59:59.999-00:01": "refused",
	} {
		got := "refused"
		if ms, err := ParseInstant(text); err == nil {
			got = Instant{ms, time.UTC}.String()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	lmt := zoneNamed(t, "Asia/Shanghai") // +08:05:43 before 1901, which RFC 3339 cannot say
	if got := (Instant{-2_500_000_000_000, lmt}).String(); got != "1890-10-11T19:33:20Z" {
		t.Errorf("local mean time: got %s", got)
	}
}

// FuzzParseInstant: what the fast reader takes, the standard library takes
// too, and for the same instant.
func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{"2026-10-01T08:00:00+08:00", "2024-02-29T23:59:59.123456Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ms, ok := parseRFC3339(text)
		if !ok {
			return
		}
		b := []byte(text)
		b[10], b[len(b)-1] = 'T', upper(b[len(b)-1])
		at, err := time.Parse(time.RFC3339Nano, string(b))
		if err != nil {
			t.Fatalf("%q is read as %d, but %v", text, ms, err)
		}
		if at.UnixMilli() != ms {
			t.Fatalf("%q: got %d, want %d", text, ms, at.UnixMilli())
		}
	})
}

func upper(c byte) byte {
	if c == 'z' {
		return 'Z'
	}
	return c
}

func TestStatusesAndComponentOutages(t *testing.T) {
	w := hours(t, "a", "b").sees("a", "2026-06-10 00:00 up", "2026-06-10 10:00 down", "2026-06-10 14:00 down", "2026-06-10 15:00 up", "2026-06-10 20:00 down").sees("b", "2026-06-10 00:00 up")
	w.component("a").Hold = 2 * 3600_000
	w.catalogue.Services[0].Needs.AtLeast = 1
	services, components, err := Statuses(w.input())
	if err != nil {
		t.Fatal(err)
	}
	if got := services["s"]; got != (Status{Up, w.ms("2026-06-10 22:00")}) { // a unknown since 22:00, down makes it degraded before
		t.Errorf("service: got %v since %s", got.State, Instant{got.Since, nil})
	}
	if got := components["a"]; got != (Status{Unknown, w.ms("2026-06-10 22:00")}) {
		t.Errorf("component: got %v since %s", got.State, Instant{got.Since, nil})
	}
	in := w.input()
	outages := ComponentOutages(w.catalogue.Components[0], in.Streaks["a"], in.AsOf, nil)
	if len(outages) != 2 || !outages[0].Bridged || outages[0].From != w.ms("2026-06-10 10:00") || outages[0].To != w.ms("2026-06-10 15:00") ||
		outages[0].Earliest != w.ms("2026-06-10 00:00") || outages[1].Open != true || outages[1].Bridged {
		t.Errorf("outages: got %+v", outages)
	}
}

func TestCycle(t *testing.T) {
	c := Catalogue{Services: []Service{
		{Name: "a", Needs: Need{AtLeast: 1, Of: []Need{{Name: "x"}, {Name: "b"}}}}, {Name: "b", Needs: Need{Name: "c"}}, {Name: "c", Needs: Need{Name: "b"}}}}
	if got := c.Cycle(); len(got) != 3 || got[0] != "b" || got[1] != "c" || got[2] != "b" {
		t.Errorf("got %v, want b c b", got)
	}
}
