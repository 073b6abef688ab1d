package series

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// TestSelected: a series as a host or a sender sends it, through the decoder
// that gives it its identity, against the selectors of a catalogue. A host can
// speak only for itself.
func TestSelected(t *testing.T) {
	label := func(pairs ...string) (all []availability.Label) {
		for i := 0; i+1 < len(pairs); i += 2 {
			all = append(all, availability.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	catalogue := &availability.Catalogue{Components: []availability.Component{
		{Name: "any", Series: &availability.Selector{Metric: "ok"}},
		{Name: "of-web-1", Interval: 15_000, Series: &availability.Selector{Metric: "ok", Labels: label("instance", "web-1")}},
		{Name: "by-prom", Series: &availability.Selector{Metric: "ok", Labels: label("sender", "prom")}},
		{Name: "no-env", Hold: 60_000, Series: &availability.Selector{Metric: "ok", Labels: label("env", "")}},
		{Name: "of-acme", Series: &availability.Selector{Metric: "ok", Labels: label("customer", "acme")}},
		{Name: "plain"},
	}}
	agent := wire.Envelope{Kind: wire.KindBatch1, Host: "h1", Instance: "web-2", Customer: "globex", Job: "node", ReceivedAt: 1_000_000_000_000}
	sender := wire.Envelope{Kind: wire.KindForeign1, Host: "s1", Instance: "prom", Customer: "acme", Labels: "site=sh", ReceivedAt: 1_000_000_000_000}
	long := strings.Repeat("v", 400)
	rows := []struct {
		name   string
		from   wire.Envelope
		labels []string
		want   string // component by observer with the fact's own hold in s
	}{
		{"a host's own", agent, []string{"__name__", "ok"}, "any by web-2 300, no-env by web-2 0"},
		{"a host in the name of another, of a sender and of another customer", agent, []string{"__name__", "ok", "instance", "web-1", "sender", "prom", "customer", "acme", "job", "app"},
			"any by web-2 300, no-env by web-2 0"},
		{"a sender's", sender, []string{"__name__", "ok", "instance", "web-1", "env", "prod"},
			"any by prom{env=prod,instance=web-1,site=sh} 300, of-web-1 by prom{env=prod,site=sh} 0, by-prom by prom{env=prod,instance=web-1,site=sh} 300, of-acme by prom{env=prod,instance=web-1,site=sh} 300"},
		{"a sender in the name of another customer", sender, []string{"__name__", "ok", "customer", "globex", "sender", "other"},
			"any by prom{site=sh} 300, by-prom by prom{site=sh} 300, no-env by prom{site=sh} 0, of-acme by prom{site=sh} 300"},
		{"another metric", sender, []string{"__name__", "okay"}, ""},
		{"long labels are told apart by their hash", agent, []string{"__name__", "ok", "env", long}, "any by web-2{sha256=" + "HASH} 300"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			body := batch.Encode([]batch.Sample{{Series: &batch.Series{Labels: labels.FromStrings(row.labels...)}, T: row.from.ReceivedAt, V: 1}})
			b, err := batch.NewDecoder(batch.Defaults()).Decode(row.from, body)
			if err != nil || len(b.Samples) != 1 {
				t.Fatal(b, err)
			}
			var got []string
			for _, s := range SelectorsOf(catalogue).Of(b.Samples[0].Series.Labels, nil) {
				if i := strings.Index(s.Observer, "sha256="); i >= 0 && len(s.Observer) == i+len("sha256=")+33 {
					s.Observer = s.Observer[:i] + "sha256=HASH}"
				}
				got = append(got, fmt.Sprintf("%s by %s %d", s.Component, s.Observer, s.Hold/1000))
			}
			if text := strings.Join(got, ", "); text != row.want {
				t.Errorf("got  %s\nwant %s", text, row.want)
			}
		})
	}
	if SelectorsOf(&availability.Catalogue{}) != nil {
		t.Error("a catalogue without a selector has selectors")
	}
}

// BenchmarkSelectors: what a record of 300 series costs where a catalogue
// selects 100 other ones.
func BenchmarkSelectors(b *testing.B) {
	c := &availability.Catalogue{}
	for i := range 100 {
		c.Components = append(c.Components, availability.Component{Name: fmt.Sprint(i), Series: &availability.Selector{Metric: fmt.Sprint("ok_", i)}})
	}
	of := SelectorsOf(c)
	var all []labels.Labels
	for i := range 300 {
		all = append(all, labels.FromStrings("__name__", fmt.Sprint("node_cpu_seconds_total_", i), "instance", "web-1", "job", "node", "cpu", "0", "mode", "idle"))
	}
	var found []Selected
	for b.Loop() {
		for _, ls := range all {
			found = of.Of(ls, found[:0])
		}
	}
}
