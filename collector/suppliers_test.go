package collector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
)

// supplied is the catalogue of TestSuppliers: two hours are agreed.
const supplied = `components:
  - {name: line-a, interval: 60s}
  - {name: line-b, interval: 60s}
  - {name: disk, interval: 60s}
services:
  - {name: shop, customer: acme, needs: {all_of: [{any_of: [line-a, line-b]}, disk]}}
agreements:
  - {number: S-1, version: 1, service: shop, zone: UTC, effective: {from: "%[1]s", to: "%[2]s"}, indicators: [{name: availability, target: 99%%}]}
suppliers:
  - {name: NetCo, contract: UC-1, zone: UTC, effective: {from: "%[1]s", to: "%[2]s"}, components: [line-a, line-b],
     indicators: [{name: availability, target: 90%%}, {name: repair time, kind: mttr, target: 30m}]}
`

// TestSuppliers: in two hours line-a is down in the minutes [10, 30), line-b in
// [20, 40) and disk in [25, 35). Of the service's outage [20, 35) all is NetCo's
// in part, and [20, 25) its alone. Each line is down for 20 minutes, which
// is 200 of 240 minutes up. A restart changes no byte of it.
func TestSuppliers(t *testing.T) {
	data, now := t.TempDir(), time.Now
	if edge := now().UTC().Add(-4 * time.Hour); edge.Month() != edge.Add(4*time.Hour).Month() {
		now = func() time.Time { return time.Now().Add(-6 * time.Hour) }
	}
	begin := now().UTC().Truncate(time.Minute).Add(-3 * time.Hour)
	month := begin.Format("2006-01")
	catalogue := fmt.Sprintf(supplied, begin.Format(time.RFC3339), begin.Add(2*time.Hour).Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	r := openAgain(t, data, now)
	before := now().UTC().Format(time.RFC3339Nano)
	var samples []batch.Sample
	for _, c := range []struct {
		name     string
		from, to int
	}{{"line-a", 10, 30}, {"line-b", 20, 40}, {"disk", 25, 35}} {
		of := &batch.Series{Labels: labels.FromStrings("__name__", "plimsoll_check_state", "component", c.name, "check", "ping")}
		for m := range 121 {
			state := 1.0
			if c.from <= m && m < c.to {
				state = 0
			}
			samples = append(samples, batch.Sample{Series: of, T: begin.Add(time.Duration(m) * time.Minute).UnixMilli(), V: state})
		}
	}
	r.deliver(samples)

	type figures struct {
		Availability   *float64
		DownS          float64  `json:"down_s"`
		AgreedS        float64  `json:"agreed_s"`
		MTTRS          *float64 `json:"mttr_s"`
		OutagesStarted int64    `json:"outages_started"`
		Indicators     []struct{ State string }
	}
	var body struct {
		Suppliers []struct {
			Supplier  string
			Contracts []struct {
				Contract   string
				Figures    figures
				Components []struct {
					Component string
					Figures   figures
				}
			}
			Services []struct {
				Service     string
				DownS       float64 `json:"down_s"`
				AttributedS float64 `json:"attributed_s"`
				AloneS      float64 `json:"alone_s"`
				Outages     []struct {
					Supplied  []string
					OutageIDs []int64 `json:"outage_ids"`
				}
			}
			Annotated []struct {
				ID               int64
				Component, Cause string
			}
		}
	}
	ask := func(path, asOf string) string {
		t.Helper()
		q := url.Values{"period": {month}, "as_of": {asOf}}
		var raw json.RawMessage
		if status := r.call(http.MethodGet, path+"?"+q.Encode(), nil, &raw); status != http.StatusOK {
			t.Fatalf("%s: status %d, %s", path, status, raw)
		}
		body.Suppliers = nil
		if err := json.Unmarshal(raw, &body); err != nil || len(body.Suppliers) != 1 {
			t.Fatalf("%s: %v, %s", path, err, raw)
		}
		return string(raw)
	}
	said := func() (out []string) {
		tell := func(name string, f *figures) {
			line := fmt.Sprintf("%s: %g of %g s down, %d outages", name, f.DownS, f.AgreedS, f.OutagesStarted)
			if f.Availability != nil && f.MTTRS != nil {
				line += fmt.Sprintf(", %.4f, repaired in %g s", *f.Availability, *f.MTTRS)
			}
			for _, i := range f.Indicators {
				line += ", " + i.State
			}
			out = append(out, line)
		}
		for _, c := range body.Suppliers[0].Contracts {
			tell(c.Contract, &c.Figures)
			for i := range c.Components {
				tell(c.Components[i].Component, &c.Components[i].Figures)
			}
		}
		for _, s := range body.Suppliers[0].Services {
			out = append(out, fmt.Sprintf("%s: %g s down, %g attributed, %g alone", s.Service, s.DownS, s.AttributedS, s.AloneS))
			for _, o := range s.Outages {
				out = append(out, fmt.Sprintf("%v, %d outages of components", o.Supplied, len(o.OutageIDs)))
			}
		}
		for _, a := range body.Suppliers[0].Annotated {
			out = append(out, "annotated: "+a.Component+", "+a.Cause)
		}
		return out
	}
	expect := func(when string, want ...string) {
		t.Helper()
		if got := strings.Join(said(), "\n"); got != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", when, got, strings.Join(want, "\n"))
		}
	}
	lines := []string{
		"UC-1: 2400 of 14400 s down, 2 outages, 0.8333, repaired in 1200 s, below_target, met",
		"line-a: 1200 of 7200 s down, 1 outages, 0.8333, repaired in 1200 s, below_target, met",
		"line-b: 1200 of 7200 s down, 1 outages, 0.8333, repaired in 1200 s, below_target, met",
		"shop: 900 s down, 900 attributed, 300 alone",
	}
	known := now().UTC().Format(time.RFC3339Nano)
	ask("/api/v1/suppliers", known)
	expect("all suppliers", lines...)
	ask("/api/v1/suppliers/NetCo", known)
	expect("one supplier", append(lines, "[line-a line-b], 2 outages of components")...)

	// Somebody lays the disk's outage to NetCo, in small letters, and takes it back.
	var outages struct {
		Outages []struct {
			ID        int64
			Component string
		}
	}
	r.call(http.MethodGet, "/api/v1/outages?component=disk", nil, &outages)
	if len(outages.Outages) != 1 {
		t.Fatalf("outages of disk: %+v", outages)
	}
	annotate := func(supplier string) {
		t.Helper()
		var answer any
		path := fmt.Sprintf("/api/v1/outages/%d/annotations", outages.Outages[0].ID)
		if status := r.call(http.MethodPost, path, map[string]string{"cause": "cable", "supplier": supplier}, &answer); status != http.StatusOK {
			t.Fatalf("annotate: status %d, %v", status, answer)
		}
	}
	// Instants are told apart by the millisecond.
	annotate("netco")
	time.Sleep(2 * time.Millisecond)
	blamed := now().UTC().Format(time.RFC3339Nano)
	time.Sleep(2 * time.Millisecond)
	annotate("another")
	with := append(lines, "[line-a line-b], 2 outages of components", "annotated: disk, cable")
	text := ask("/api/v1/suppliers/NetCo", blamed)
	expect("annotated", with...)
	ask("/api/v1/suppliers/NetCo", now().UTC().Format(time.RFC3339Nano))
	expect("amended", with[:len(with)-1]...)
	ask("/api/v1/suppliers/NetCo", before)
	expect("before anything was known",
		"UC-1: 0 of 14400 s down, 0 outages, insufficient_data, insufficient_data",
		"line-a: 0 of 7200 s down, 0 outages, insufficient_data, insufficient_data",
		"line-b: 0 of 7200 s down, 0 outages, insufficient_data, insufficient_data",
		"shop: 0 s down, 0 attributed, 0 alone")

	for path, parts := range map[string][]string{
		"/suppliers":       {"NetCo", "83.33", "15 min", "5 min"},
		"/suppliers/NetCo": {"line-a", "line-b", "83.33", "20 min", "15 min", "5 min", "shop"},
	} {
		page := r.pageAt(path + "?period=" + month)
		for _, part := range parts {
			if !strings.Contains(strings.ReplaceAll(page, "\u00a0", " "), part) {
				t.Errorf("%s has no %q", path, part)
			}
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = openAgain(t, data, now)
	if again := ask("/api/v1/suppliers/NetCo", blamed); again != text {
		t.Errorf("after a restart\n%s\nbefore\n%s", again, text)
	}
}
