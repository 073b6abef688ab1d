package collector

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// promised is the catalogue of TestIndicatorsOfEveryKind: two hours are agreed.
const promised = `components:
  - {name: page, interval: 60s}
  - {name: probe, interval: 60s}
services:
  - {name: shop, customer: acme, needs: {any_of: [page, probe]}}
  - {name: depot, customer: other, needs: probe}
resources:
  - {name: disk, unit: bytes, per: [instance, mountpoint], used: disk_used, limit: disk_size, warning: 80%%}
agreements:
  - number: S-1
    version: 1
    service: shop
    zone: UTC
    effective: {from: "%s", to: "%s"}
    indicators:
      - {name: availability, target: 99%%}
      - {name: response time, kind: latency, quantile: 95%%, target: 100ms, unacceptable: 2s}
      - {name: slowest, kind: latency, quantile: 100%%, target: 119ms}
      - {name: disk, kind: capacity, resource: disk, target: 85%%}
      - {name: half disk, kind: capacity, resource: disk, quantile: 50%%, target: 43.5%%}
      - {name: orders, kind: promql, query: sum(orders), better: higher, target: 100, unacceptable: 50}
      - {name: every order, kind: promql, query: orders, better: higher, target: 100}
      - {name: no order, kind: promql, query: nothing, better: lower, target: 1}
      - {name: satisfaction, kind: manual, better: higher, target: 4.5}
`

// judged is an indicator as the API tells it.
type judged struct {
	Name, State, Why string
	Actual           *float64
	Basis            struct {
		Reason, Worst, By string
		Samples, Rank     int64
	}
}

func (j *judged) String() string {
	value := "-"
	if j.Actual != nil {
		value = strconv.FormatFloat(*j.Actual, 'g', -1, 64)
	}
	return fmt.Sprintf("%s %s %s", value, j.State, j.Basis.Reason)
}

// TestIndicatorsOfEveryKind: one host delivers two hours of checks, disks and
// orders, minute m being 0 to 119. Checks take m+1 ms, the last one fails;
// / is used to m of 200 and /data to 1.5 m; two shops sell 60 each. A value is
// entered, amended, and entered again when the month is closed.
func TestIndicatorsOfEveryKind(t *testing.T) {
	data := t.TempDir()
	now := time.Now
	if edge := now().UTC().Add(-4 * time.Hour); edge.Month() != edge.Add(4*time.Hour).Month() {
		now = func() time.Time { return time.Now().Add(-6 * time.Hour) }
	}
	begin := now().UTC().Truncate(5 * time.Minute).Add(-3 * time.Hour)
	month := begin.Format("2006-01")
	catalogue := fmt.Sprintf(promised, begin.Format(time.RFC3339), begin.Add(2*time.Hour).Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	r := openAgain(t, data, now)
	r.deliver(minutes(begin))

	// shop is what the API tells of the month at an instant; "": now.
	shop := func(asOf, lang string) map[string]*judged {
		t.Helper()
		var body struct {
			Services []struct{ Indicators []judged }
		}
		q := url.Values{"period": {month}}
		if asOf != "" {
			q.Set("as_of", asOf)
		}
		r.language = lang
		if status := r.call(http.MethodGet, "/api/v1/services/shop?"+q.Encode(), nil, &body); status != http.StatusOK || len(body.Services) != 1 {
			t.Fatalf("services: status %d, %+v", status, body)
		}
		out := map[string]*judged{}
		for i := range body.Services[0].Indicators {
			out[body.Services[0].Indicators[i].Name] = &body.Services[0].Indicators[i]
		}
		return out
	}
	expect := func(when string, got map[string]*judged, want map[string]string) {
		t.Helper()
		for name, text := range want {
			if got[name] == nil || got[name].String() != text {
				t.Errorf("%s: %s is %v, want %s", when, name, got[name], text)
			}
		}
	}

	open := shop("", "")
	expect("open", open, map[string]string{
		"response time": "0.114 below_target samples", // rank 114 of 119: 119 x 0.95 = 113.05
		"slowest":       "0.119 met samples",          // equal to the target is met; the failed check took 120 ms
		"disk":          "0.8625 below_target samples",
		"half disk":     "0.4125 met samples", // rank 12 of 24: minute 55, 82.5 of 200
		"orders":        "120 met query",
		"every order":   "- insufficient_data several_values",
		"no order":      "- insufficient_data no_value",
		"satisfaction":  "- insufficient_data not_entered",
	})
	if b := open["disk"].Basis; b.Worst != "probe /data" || b.Samples != 24 {
		t.Errorf("disk rests on %+v", b)
	}
	if b := open["response time"].Basis; b.Samples != 119 || b.Rank != 114 {
		t.Errorf("response time rests on %+v", b)
	}
	for _, c := range []struct{ lang, name, part string }{
		{"", "response time", "95\u00a0% of the 119 answered checks of page"},
		{"zh-CN", "response time", "page 的 119 次有应答的检查"},
		{"", "satisfaction", "Nobody has entered a value"},
		{"", "every order", "orders gives 2 values"},
		{"", "disk", "The largest of 24 values on probe /data"},
	} {
		if why := shop("", c.lang)[c.name].Why; !strings.Contains(why, c.part) {
			t.Errorf("%s in %q: %q says not %q", c.name, c.lang, why, c.part)
		}
	}
	if page := r.pageAt("/services/shop?period=" + month); !strings.Contains(page, `name="value"`) || !strings.Contains(page, "missing") {
		t.Error("the page does not ask for the value that is missing")
	}

	enter := func(value string, want int) {
		t.Helper()
		var answer any
		body := map[string]string{"agreement": "S-1", "indicator": "satisfaction", "period": month, "value": value, "comment": "poll"}
		if status := r.call(http.MethodPost, "/api/v1/values", body, &answer); status != want {
			t.Errorf("enter %s: status %d, %v, want %d", value, status, answer, want)
		}
		time.Sleep(1100 * time.Millisecond) // figures of one second are shared
	}
	enter("good", http.StatusUnprocessableEntity)
	enter("4.6", http.StatusOK)
	first := now().UTC().Format(time.RFC3339Nano)
	enter("4.6", http.StatusUnprocessableEntity) // it is there already
	enter("4.40", http.StatusOK)
	expect("entered", shop(first, ""), map[string]string{"satisfaction": "4.6 met entered"})
	form := func(service, agreement, value string, want int, says string) {
		t.Helper()
		alone := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := alone.PostForm(r.c.URL()+"/services/"+service+"/values?period="+month, url.Values{"agreement": {agreement}, "indicator": {"satisfaction"}, "value": {value}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != want || !strings.Contains(string(text), says) {
			t.Errorf("the form with %q: status %d, want %d and %q", value, resp.StatusCode, want, says)
		}
	}
	form("shop", "S-1", "4,4", http.StatusUnprocessableEntity, "is not a number: write it like 4.5")
	form("shop", "S-9", "4.4", http.StatusUnprocessableEntity, "Agreement S-9 has no indicator")
	form("depot", "S-1", "4.3", http.StatusUnprocessableEntity, "Agreement S-1 has no indicator") // it is the shop's
	form("shop", "S-1", "4.4", http.StatusSeeOther, "")
	if page := r.pageAt("/services/shop?period=" + month); strings.Contains(page, "missing") || !strings.Contains(page, "<s>4.40 · poll</s>") {
		t.Error("the page has not what was amended, or still asks for the value")
	}
	time.Sleep(1100 * time.Millisecond)
	if why := shop("", "zh-CN")["satisfaction"].Why; !strings.Contains(why, "由 本机用户（未登录） 于") {
		t.Errorf("in Chinese the API says %q", why)
	}
	if text := r.pageAt("/api/v1/report?customer=acme&lang=zh-CN&period=" + month); !strings.Contains(text, "由 本机用户（未登录） 于") {
		t.Error("the Chinese report does not say in Chinese who entered the value")
	}
	expect("amended", shop("", ""), map[string]string{"satisfaction": "4.4 below_target entered"})

	var p struct{ State string }
	if status := r.call(http.MethodPost, "/api/v1/periods/"+month+"/close", map[string]string{"customer": "acme"}, &p); status != http.StatusOK || p.State != "closed" {
		t.Fatalf("close: status %d, %+v", status, p)
	}
	enter("4.9", http.StatusOK)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = openAgain(t, data, now)
	closed := shop("", "")
	expect("closed", closed, map[string]string{"satisfaction": "4.4 below_target entered", "response time": "0.114 below_target samples", "orders": "120 met query"})
	var all struct {
		Periods []struct {
			State       string
			Differences []struct{ Figure, Was, Is string }
		}
	}
	r.call(http.MethodPost, "/api/v1/periods/check", struct{}{}, &all)
	if len(all.Periods) != 2 || all.Periods[1].State != "proposed" || len(all.Periods[1].Differences) != 2 {
		t.Fatalf("after a late value: %+v", all)
	}
	expect("proposed", shop("", ""), map[string]string{"satisfaction": "4.4 below_target entered"})
	if status := r.call(http.MethodPost, "/api/v1/periods/"+month+"/decide", map[string]any{"customer": "acme", "version": 2, "accept": true}, &p); status != http.StatusOK {
		t.Fatalf("accept: status %d, %+v", status, p)
	}
	expect("restated", shop("", ""), map[string]string{"satisfaction": "4.9 met entered", "disk": "0.8625 below_target samples"})
	if page := r.pageAt("/services/shop/explain?period=" + month); !strings.Contains(page, "disk_used") || !strings.Contains(page, "Entered by") {
		t.Error("the explanation names no query, or not who entered the value")
	}
}

// minutes are the samples of two hours.
func minutes(begin time.Time) []batch.Sample {
	of := func(name string, pairs ...string) *batch.Series {
		return &batch.Series{Labels: labels.FromStrings(append(pairs, "__name__", name)...)}
	}
	state, took := of("plimsoll_check_state", "component", "page", "check", "http"), of("probe_duration_seconds", "component", "page", "check", "http")
	var out []batch.Sample
	for m := range 120 {
		at := begin.Add(time.Duration(m) * time.Minute).UnixMilli()
		answered := 1.0
		if m == 119 {
			answered = 0
		}
		for _, s := range []struct {
			series *batch.Series
			v      float64
		}{
			{state, answered}, {took, float64(m+1) / 1000},
			{of("disk_used", "mountpoint", "/"), float64(m)}, {of("disk_size", "mountpoint", "/"), 200},
			{of("disk_used", "mountpoint", "/data"), float64(m) * 1.5}, {of("disk_size", "mountpoint", "/data"), 200},
			{of("orders", "shop", "east"), 60}, {of("orders", "shop", "west"), 60},
		} {
			out = append(out, batch.Sample{Series: s.series, T: at, V: s.v})
		}
	}
	return out
}

// deliver sends samples as the host probe and waits until they are folded and
// in the series.
func (r *running) deliver(samples []batch.Sample) {
	r.t.Helper()
	id, _ := r.enrol("probe")
	status, err := post(clientOf(id.ClientTLS(), false), r.c.AgentsAddr(), wire.WritePath, batch.Encode(samples), map[string]string{"Content-Type": wire.ContentType1,
		"Content-Encoding": "snappy", wire.HeaderRun: "run", wire.HeaderSeq: "1"})
	if err != nil || status/100 != 2 {
		r.t.Fatalf("deliver: status %d, %v", status, err)
	}
	for deadline := time.Now().Add(30 * time.Second); r.c.fold.Position() < r.c.journal.Last() && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := r.c.series.Await(r.t.Context(), r.c.journal.Last()); err != nil {
		r.t.Fatal(err)
	}
}

// pageAt is the text of the page at a path.
func (r *running) pageAt(path string) string {
	r.t.Helper()
	resp, err := http.Get(r.c.URL() + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: status %d, %v", path, resp.StatusCode, err)
	}
	return string(text)
}
