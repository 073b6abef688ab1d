package batch

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/value"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// guest is the envelope of a foreign sender.
func guest(kind wire.Kind) wire.Envelope {
	return wire.Envelope{Kind: kind, Host: "s1", Instance: "prom", Customer: "acme", Labels: "site=sh", ReceivedAt: received}
}

func TestForeignSeries(t *testing.T) {
	names := NewNames(map[string]string{"web-1:9100": "web-1:9100", "db-1": "db-1@prom", "tele": "tele", "https://shop/": "https://shop/"}, false)
	for _, c := range []struct {
		name      string
		in        []string
		want      string // labels
		component string // empty: no fact
	}{
		{"up is about the target of its job", []string{"__name__", "up", "job", "node", "instance", "web-1:9100"},
			`{__name__="up", customer="acme", instance="web-1:9100", job="node", sender="prom", site="sh"}`, "node/web-1:9100"},
		{"probe_success is about what was probed", []string{"__name__", "probe_success", "job", "web", "instance", "https://shop/"},
			`{__name__="probe_success", customer="acme", instance="https://shop/", job="web", sender="prom", site="sh"}`, "probe/web/https://shop/"},
		{"the name of another host is not taken", []string{"__name__", "up", "job", "node", "instance", "db-1"},
			`{__name__="up", customer="acme", instance="db-1@prom", job="node", sender="prom", site="sh"}`, "node/db-1@prom"},
		{"the token's labels stand above the body's", []string{"__name__", "x", "customer", "globex", "instance", "web-1:9100", "sender", "other", "site", "bj"},
			`{__name__="x", customer="acme", instance="web-1:9100", sender="prom", site="sh"}`, ""},
		{"Telegraf names its host so", []string{"__name__", "cpu_usage_idle", "host", "tele"},
			`{__name__="cpu_usage_idle", customer="acme", host="tele", instance="tele", sender="prom", site="sh"}`, ""},
		{"a recording rule is of no host", []string{"__name__", "job:up:sum"}, `{__name__="job:up:sum", customer="acme", sender="prom", site="sh"}`, ""},
		{"up of no host is no fact", []string{"__name__", "up"}, `{__name__="up", customer="acme", sender="prom", site="sh"}`, ""},
		{"a check of an agent is none of a sender", []string{"__name__", "plimsoll_check_state", "component", "shop", "instance", "web-1:9100"},
			`{__name__="plimsoll_check_state", component="shop", customer="acme", instance="web-1:9100", sender="prom", site="sh"}`, ""},
	} {
		for _, kind := range []wire.Kind{wire.KindForeign1, wire.KindForeign2} {
			body := encode(t, kind-wire.KindForeign1+wire.KindBatch1, []row{{c.in, []point{{received, 1}}}})
			got, err := NewDecoder(Defaults()).DecodeForeign(guest(kind), body, names)
			if err != nil || len(got.Samples) != 1 {
				t.Fatalf("%s: got %v, %v", c.name, got, err)
			}
			s := got.Samples[0].Series
			if s.Labels.String() != c.want || s.Component != c.component || (len(got.Facts) == 1) != (c.component != "") {
				t.Errorf("%s: got %s, component %q, %d facts; want %s, component %q", c.name, s.Labels, s.Component, len(got.Facts), c.want, c.component)
			}
			if listed := s.Labels.Get("instance"); listed != "" && s.Host != ForeignHost("s1", listed) {
				t.Errorf("%s: host id %q", c.name, s.Host)
			}
			if got.Renamed != strings.Contains(c.want, "db-1@prom") {
				t.Errorf("%s: renamed is %v", c.name, got.Renamed)
			}
			// What is written to the journal after a renaming reads back the same, without names.
			again, err := NewDecoder(Defaults().Journaled()).Decode(guest(wire.KindForeign1), Encode(got.Samples))
			if err != nil || cmp.Diff(lines(got.Samples), lines(again.Samples)) != "" || again.Samples[0].Series.Component != c.component {
				t.Errorf("%s: read again: %v %v", c.name, lines(again.Samples), err)
			}
		}
	}
}

func TestUnlistedInstancesAreNamed(t *testing.T) {
	rows := []row{{[]string{"__name__", "up", "instance", "b"}, []point{{received, 1}}}, {[]string{"__name__", "up", "instance", "a"}, []point{{received, 1}}},
		{[]string{"__name__", "x", "instance", "b"}, []point{{received, 1}}}}
	d := NewDecoder(Defaults())
	decode := func(names *Names) (*Batch, error) {
		return d.DecodeForeign(guest(wire.KindForeign1), body1(t, rows), names)
	}
	_, err := decode(NewNames(nil, false))
	var unlisted *Unlisted
	if !errors.As(err, &unlisted) || !slices.Equal(unlisted.Instances, []string{"a", "b"}) {
		t.Fatalf("got %v, want a and b unlisted", err)
	}
	got, err := decode(NewNames(map[string]string{"a": "a", "b": "b"}, false))
	if err != nil || len(got.Samples) != 3 {
		t.Errorf("listed: got %v, %v", got, err)
	}
	// The name goes to somebody else: nothing learned before may write as it.
	got, err = decode(NewNames(map[string]string{"a": "a", "b": "b@prom"}, false))
	if err != nil || got.Samples[0].Series.Labels.Get("instance") != "b@prom" {
		t.Errorf("renamed: got %v, %v", got, err)
	}
	got, err = decode(NewNames(map[string]string{"a": "a"}, true))
	if err != nil || len(got.Samples) != 1 || fmt.Sprint(rejections(got)) != "[2 hosts_limit: sender prom brings 2000 hosts already; further ones (such as b) are refused]" {
		t.Errorf("no room: got %v, %v", rejections(got), err)
	}
}

func TestForeignHostsHaveTheirOwnLimits(t *testing.T) {
	limits := Defaults()
	limits.SeriesPerHost, limits.SeriesPerSender = 2, 3
	d := NewDecoder(limits)
	var rows []row
	for _, s := range [][2]string{{"a", "m1"}, {"a", "m2"}, {"a", "m3"}, {"b", "m1"}, {"b", "m2"}} {
		rows = append(rows, row{[]string{"__name__", s[1], "instance", s[0]}, []point{{received, 1}}})
	}
	got, err := d.DecodeForeign(guest(wire.KindForeign1), body1(t, rows), nil)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, s := range got.Samples {
		kept = append(kept, s.Series.Labels.Get("instance")+" "+s.Series.Labels.Get("__name__"))
	}
	if want := []string{"a m1", "a m2", "b m1"}; !slices.Equal(kept, want) {
		t.Errorf("got %v, want %v", kept, want)
	}
	if n, why := got.Refused(); n != 2 || !strings.Contains(why, "host a has 2 active series already; new ones (such as m3)") {
		t.Errorf("got %d %s", n, why)
	}
}

func TestNewSeriesComeAtARate(t *testing.T) {
	limits := Defaults()
	limits.SeriesPerHost, limits.NewSeries = 4, 2
	for _, c := range []struct {
		name    string
		minutes []int // one new series at each, of a host that forgets the others at once
		kept    []bool
	}{
		{"a full set at once", []int{0, 0, 0, 0, 0}, []bool{true, true, true, true, false}},
		{"then two a minute", []int{0, 0, 0, 0, 1, 1, 1}, []bool{true, true, true, true, true, true, false}},
		{"a pause gives no more than a full set", []int{0, 0, 0, 0, 60, 60, 60, 60, 60}, []bool{true, true, true, true, true, true, true, true, false}},
	} {
		o := &owner{}
		for i, m := range c.minutes {
			if got := o.spend(&limits, received+int64(m)*60_000); got != c.kept[i] {
				t.Errorf("%s: series %d: got %v, want %v", c.name, i, got, c.kept[i])
			}
		}
	}
}

func TestPastAndStaleness(t *testing.T) {
	limits := Defaults()
	old := received - limits.Behind.Milliseconds()
	rows := []row{{[]string{"__name__", "a"}, []point{{old - 1, 1}, {old, 2}}}, {[]string{"__name__", "up", "instance", "x"}, []point{{received, math.Float64frombits(value.StaleNaN)}}}}
	got, err := NewDecoder(limits).DecodeForeign(guest(wire.KindForeign1), body1(t, rows), nil)
	if err != nil || len(got.Samples) != 2 || got.Samples[0].T != old || fmt.Sprint(rejections(got)) == "[]" {
		t.Fatalf("got %v %v, %v, want the older one refused", got, rejections(got), err)
	}
	if got.Rejected[0].Reason != ReasonOld || got.Rejected[0].Count != 1 {
		t.Errorf("got %v", got.Rejected)
	}
	if !value.IsStaleNaN(got.Samples[1].V) {
		t.Error("the staleness marker was changed")
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ in, back, fault string }{
		{"", "", ""},
		{"site=sh,customer=acme", "customer=acme,site=sh", ""},
		{"a=b=c", "a=b=c", ""},
		{"customer", "", "is not a label"},
		{"job=x", "", "cannot be given"},
		{"sender=x", "", "cannot be given"},
		{"__name__=x", "", "cannot be given"},
		{"a=", "", "is empty"},
		{"a=1,a=2", "", "twice"},
		{"9a=1", "", "is not a label"},
		{"a=\x1b[31m", "", "cannot be printed"},
	} {
		rules, err := ParseRules(c.in)
		if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) || WriteRules(rules) != c.back {
			t.Errorf("%q: got %q, %v, want %q, %q", c.in, WriteRules(rules), err, c.back, c.fault)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add("site=sh,customer=acme")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseRules(text)
		if err != nil {
			return
		}
		again, err := ParseRules(WriteRules(rules))
		if err != nil || !slices.Equal(rules, again) {
			t.Fatalf("%q gives %v, read again %v, %v", text, rules, again, err)
		}
	})
}

// FuzzForeign: whatever a sender sends, its name and its labels are on every
// series, and the journal reads back what was accepted.
func FuzzForeign(f *testing.F) {
	seeds(f, wire.KindBatch1)
	limits := Defaults()
	limits.Ratio, limits.Behind = 1<<20, 0
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := NewDecoder(limits).DecodeForeign(guest(wire.KindForeign1), snappy.Encode(nil, raw), nil)
		if err != nil {
			return
		}
		for _, s := range got.Samples {
			if ls := s.Series.Labels; ls.Get("customer") != "acme" || ls.Get("site") != "sh" || ls.Get(SenderLabel) != "prom" {
				t.Fatalf("series %s", ls)
			}
		}
		back, err := NewDecoder(limits).Decode(guest(wire.KindForeign1), Encode(got.Samples))
		if err != nil || cmp.Diff(lines(got.Samples), lines(back.Samples)) != "" {
			t.Fatalf("accepted and read again: %v, %s", err, cmp.Diff(lines(got.Samples), lines(back.Samples)))
		}
	})
}
