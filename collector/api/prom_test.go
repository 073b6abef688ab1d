package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
)

// promNow is the instant of the tests: 1795564800.
var promNow = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

// oneBatch is a journal of one record.
type oneBatch struct{ samples []batch.Sample }

func (oneBatch) Last() journal.Position { return 1 }

func (o oneBatch) Next(ctx context.Context, after journal.Position) (*batch.Batch, error) {
	if after == 0 {
		return &batch.Batch{Pos: 1, Samples: o.samples}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// computedOne is a computed series beside the store: availability 0.999 at any time.
var computedOne = storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
	return &oneSeries{Querier: storage.NoopQuerier(), maxt: maxt,
		labels: labels.FromStrings(nameLabel, "plimsoll_service_availability_ratio", "service", "shop")}, nil
})

type oneSeries struct {
	storage.Querier
	maxt   int64
	labels labels.Labels
}

func (q *oneSeries) Select(_ context.Context, _ bool, _ *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	for _, m := range ms {
		if !m.Matches(q.labels.Get(m.Name)) {
			return storage.EmptySeriesSet()
		}
	}
	return &oneSet{SeriesSet: storage.EmptySeriesSet(), series: &storage.SeriesEntry{Lset: q.labels,
		SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
			c := chunkenc.NewXORChunk()
			app, err := c.Appender()
			if err != nil {
				panic(err)
			}
			app.Append(0, q.maxt, 0.999)
			return c.Iterator(nil)
		}}}
}

type oneSet struct {
	storage.SeriesSet
	series storage.Series
	given  bool
}

func (s *oneSet) Next() bool         { given := s.given; s.given = true; return !given }
func (s *oneSet) At() storage.Series { return s.series }

// promServer serves the API over ten minutes of samples before promNow.
func promServer(t testing.TB, limits series.Limits) *httptest.Server {
	t.Helper()
	var samples []batch.Sample
	one := func(v func(i int64) float64, pairs ...string) {
		s := &batch.Series{Labels: labels.FromStrings(pairs...)}
		for i := range int64(41) {
			samples = append(samples, batch.Sample{Series: s, T: promNow.UnixMilli() - (40-i)*15_000, V: v(i)})
		}
	}
	constant := func(v float64) func(int64) float64 { return func(int64) float64 { return v } }
	one(constant(1), nameLabel, "up", "instance", "web-1", "job", "node")
	one(constant(0), nameLabel, "up", "instance", "web-2", "job", "node")
	one(func(i int64) float64 { return float64(i) * 15 }, nameLabel, "ticks_total", "instance", "web-1")
	one(constant(math.Inf(1)), nameLabel, "odd", "kind", `quote " and \ and <b> 中`)
	feed := oneBatch{samples}
	now := func() time.Time { return promNow }
	store, err := series.Open(series.Options{Dir: t.TempDir(), Journal: feed, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- store.Run(ctx, feed) }()
	if err := store.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p := series.NewPromQL(series.Merge(store, computedOne), limits, slog.New(slog.DiscardHandler), nil)
	srv := httptest.NewServer(prometheusAt(p, "1.2.3", now))
	t.Cleanup(func() {
		srv.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func TestPrometheusAnswers(t *testing.T) {
	srv := promServer(t, series.Limits{})
	const at = `1795564800`
	for _, tc := range []struct {
		name, method, path, form string
		status                   int
		want                     string
	}{
		{"Grafana: save and test", "POST", "query", "query=1%2B1&time=1795564800", 200,
			`{"status":"success","data":{"resultType":"scalar","result":[` + at + `,"2"]}}`},
		{"Grafana: then asks what this is", "GET", "status/buildinfo", "", 200,
			`{"status":"success","data":{"version":"2.45.0","revision":"plimsoll 1.2.3","branch":"","buildUser":"","buildDate":"","goVersion":""}}`},
		{"vector", "GET", "query", "query=up", 200,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"web-1","job":"node"},"value":[` + at + `,"1"]},{"metric":{"__name__":"up","instance":"web-2","job":"node"},"value":[` + at + `,"0"]}]}}`},
		{"limit", "GET", "query", "query=up&limit=1", 200,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"web-1","job":"node"},"value":[` + at + `,"1"]}]},"warnings":["results truncated due to limit"]}`},
		{"nothing", "GET", "query", "query=absent_metric", 200,
			`{"status":"success","data":{"resultType":"vector","result":[]}}`},
		{"computed beside stored", "GET", "query", "query=plimsoll_service_availability_ratio", 200,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"plimsoll_service_availability_ratio","service":"shop"},"value":[` + at + `,"0.999"]}]}}`},
		{"infinity and escapes", "GET", "query", "query=odd", 200,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"odd","kind":"quote \" and \\ and \u003cb\u003e 中"},"value":[` + at + `,"+Inf"]}]}}`},
		{"not a number", "GET", "query", "query=0%2F0&time=1.5", 200,
			`{"status":"success","data":{"resultType":"scalar","result":[1.500,"NaN"]}}`},
		{"text", "GET", "query", `query="a"`, 200,
			`{"status":"success","data":{"resultType":"string","result":[` + at + `,"a"]}}`},
		{"matrix", "GET", "query", "query=ticks_total[30s]", 200,
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"ticks_total","instance":"web-1"},"values":[[1795564785,"585"],[1795564800,"600"]]}]}}`},
		{"stale after five minutes", "GET", "query", "query=up&time=2026-11-25T00:05:01Z", 200,
			`{"status":"success","data":{"resultType":"vector","result":[]}}`},
		{"lookback asked for", "GET", "query", "query=count(up)&time=2026-11-25T00:05:01Z&lookback_delta=10m", 200,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795565101,"2"]}]}}`},
		{"range", "POST", "query_range", "query=delta(ticks_total[1m])&start=1795564740&end=1795564800&step=30", 200,
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"instance":"web-1"},"values":[[1795564740,"60"],[1795564770,"60"],[1795564800,"60"]]}]}}`},
		{"info", "GET", "query", "query=rate(up[1m])>5", 200,
			`{"status":"success","data":{"resultType":"vector","result":[]},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]}`},
		{"series", "GET", "series", "match[]=up&match[]=ticks_total&start=1795564000&end=1795564800", 200,
			`{"status":"success","data":[{"__name__":"ticks_total","instance":"web-1"},{"__name__":"up","instance":"web-1","job":"node"},{"__name__":"up","instance":"web-2","job":"node"}]}`},
		{"series each once", "POST", "series", "match[]=up&match[]={job=\"node\"}&limit=1", 200,
			`{"status":"success","data":[{"__name__":"up","instance":"web-1","job":"node"}],"warnings":["results truncated due to limit"]}`},
		{"labels", "POST", "labels", "", 200, `{"status":"success","data":["__name__","instance","job","kind"]}`},
		{"labels of a match", "GET", "labels", "match[]=ticks_total", 200, `{"status":"success","data":["__name__","instance"]}`},
		{"label values", "GET", "label/instance/values", "", 200, `{"status":"success","data":["web-1","web-2"]}`},
		{"label values of matches", "GET", "label/__name__/values", "match[]={instance=\"web-1\"}&match[]=odd", 200,
			`{"status":"success","data":["odd","ticks_total","up"]}`},
		{"label values of another time", "GET", "label/instance/values", "start=1&end=2", 200, `{"status":"success","data":[]}`},
		{"label values of an escaped name", "GET", "label/U__instance/values", "limit=1", 200,
			`{"status":"success","data":["web-1"],"warnings":["results truncated due to limit"]}`},
		{"metadata", "GET", "metadata", "metric=ticks_total", 200,
			`{"status":"success","data":{"ticks_total":[{"type":"counter","help":"","unit":""}]}}`},
		{"rules", "GET", "rules", "", 200, `{"status":"success","data":{"groups":[]}}`},
		{"format", "GET", "format_query", "query=sum(up)by(job)", 200, `{"status":"success","data":"sum by (job) (up)"}`},

		{"no such address", "GET", "targets/of/none", "", 404,
			`{"status":"error","errorType":"not_found","error":"this collector has no /prometheus/api/v1/targets/of/none for GET"}`},
		{"bad expression", "GET", "query", "query=up{", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces"}`},
		{"no expression", "GET", "query", "", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": unknown position: parse error: no expression found in input"}`},
		{"bad time", "GET", "query", "query=1&time=noon", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": cannot parse \"noon\" to a valid timestamp: give Unix seconds or RFC 3339"}`},
		{"time beyond", "GET", "query", "query=1&time=1e300", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": \"1e300\" lies beyond the times that can be stored"}`},
		{"end before start", "GET", "query_range", "query=1&start=2&end=1&step=1", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": end timestamp must not be before start time"}`},
		{"step of nothing", "GET", "query_range", "query=1&start=1&end=2&step=0", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": zero or negative query resolution step widths are not accepted; give at least 1 ms"}`},
		{"too many steps", "GET", "query_range", "query=1&start=0&end=11001&step=1", 400,
			`{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11000 points per timeseries: take a larger step"}`},
		{"match of everything", "GET", "series", `match[]={job=~".*"}`, 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"}`},
		{"match of nothing", "GET", "series", "", 400,
			`{"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}`},
		{"negative limit", "GET", "labels", "limit=-1", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"limit\": limit must be 0 or more"}`},
		{"many to many", "GET", "query", `query=up*on()group_left()up`, 422, `{"status":"error","errorType":"execution","error":`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body := askProm(t, srv, tc.method, tc.path, tc.form)
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			if got := strings.TrimSuffix(body, "\n"); got != tc.want && (!strings.HasSuffix(tc.want, ":") || !strings.HasPrefix(got, tc.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			if !json.Valid([]byte(body)) {
				t.Error("this is not JSON")
			}
		})
	}
}

// encodeForm escapes what a table's form leaves readable.
func encodeForm(form string) string {
	return strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D", "[", "%5B", "]", "%5D", ">", "%3E", " ", "+").Replace(form)
}

func askProm(t testing.TB, srv *httptest.Server, method, path, form string) (int, string) {
	t.Helper()
	address := srv.URL + "/prometheus/api/v1/" + path
	var resp *http.Response
	var err error
	if method == "POST" {
		resp, err = http.Post(address, "application/x-www-form-urlencoded", strings.NewReader(encodeForm(form)))
	} else {
		resp, err = http.Get(address + "?" + encodeForm(form))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	return resp.StatusCode, string(body)
}

func TestPrometheusLimits(t *testing.T) {
	srv := promServer(t, series.Limits{MaxSamples: 30})
	if status, body := askProm(t, srv, "GET", "query", "query=sum(up[10m:15s])"); status != 400 {
		t.Errorf("status %d %s", status, body)
	}
	status, body := askProm(t, srv, "GET", "query", "query=sum_over_time(ticks_total[10m])%2Bsum_over_time(up[10m])")
	if want := `"errorType":"execution","error":"query processing would load too many samples into memory in query execution"`; status != 422 || !strings.Contains(body, want) {
		t.Errorf("status %d %s, want 422 and %s", status, body, want)
	}
	srv = promServer(t, series.Limits{})
	// Half a million steps take far longer than a millisecond on any machine.
	status, body = askProm(t, srv, "GET", "query", "query=count_over_time((vector(1)%2Bvector(2))[500000s:1s])&timeout=0.001")
	if want := `"errorType":"timeout"`; status != 503 || !strings.Contains(body, want) {
		t.Errorf("status %d %s, want 503 and %s", status, body, want)
	}
	big := "query=" + strings.Repeat("1", maxForm)
	if status, _ := askProm(t, srv, "POST", "query", big); status != 400 {
		t.Errorf("a form of more than %d bytes: status %d, want 400", maxForm, status)
	}
}

// TestPromtool asks by the tool that operators have.
func TestPromtool(t *testing.T) {
	promtool := need.Program(t, "promtool", "prometheus")
	srv := promServer(t, series.Limits{})
	base := srv.URL + "/prometheus"
	stamp := fmt.Sprint(promNow.Unix())
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"instant", []string{"query", "instant", "--time=" + stamp, base, "up"},
			"up{instance=\"web-1\", job=\"node\"} => 1 @[1795564800]\nup{instance=\"web-2\", job=\"node\"} => 0 @[1795564800]"},
		{"range", []string{"query", "range", "--start=1795564770", "--end=" + stamp, "--step=30s", base, "sum(up)"},
			"{} =>\n1 @[1795564770]\n1 @[1795564800]"},
		{"series", []string{"query", "series", "--match=ticks_total", "--start=1795564000", "--end=" + stamp, base},
			`{__name__="ticks_total", instance="web-1"}`},
		{"labels", []string{"query", "labels", "--start=1795564000", "--end=" + stamp, base, "instance"}, "web-1\nweb-2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := exec.Command(promtool, tc.args...).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != tc.want {
				t.Errorf("promtool %s: %v\n%s\nwant\n%s", strings.Join(tc.args, " "), err, got, tc.want)
			}
		})
	}
}

func TestPromDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15": 15 * time.Second, "0.5": 500 * time.Millisecond, "15s": 15 * time.Second, "1h30m": 90 * time.Minute,
		"1d": 24 * time.Hour, "250ms": 250 * time.Millisecond, "1y": 365 * 24 * time.Hour,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("parseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "m", "1", "1x", "30m1h", "1h1h", "h1", "99999999999999y", "NaN", "1e300"} {
		if d, err := promDuration(text); err == nil {
			t.Errorf("promDuration(%q) = %v, want an error", text, d)
		}
	}
}

func FuzzPromParams(f *testing.F) {
	for _, seed := range []string{"1795564800", "1.5", "2026-11-25T00:00:00Z", "1h30m", earliestText, "-1e9", "U__a_2e_b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := parseTime(text); err == nil && time.UnixMilli(at.UnixMilli()).Sub(at).Abs() > time.Millisecond {
			t.Errorf("parseTime(%q) = %v does not fit milliseconds", text, at)
		}
		if d, err := promDuration(text); err == nil && d < 0 {
			t.Errorf("promDuration(%q) = %v", text, d)
		}
		_ = unescapeName("U__" + text)
		var b strings.Builder
		w := newPromWriter(&b)
		w.string(text)
		w.flush()
		var back string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") && len(back) == 0 {
			t.Errorf("string %q gives %s: %v", text, b.String(), err)
		}
	})
}

// BenchmarkMatrixJSON writes 100 series of 1000 points.
func BenchmarkMatrixJSON(b *testing.B) {
	srv := promServer(b, series.Limits{})
	for b.Loop() {
		if status, _ := askProm(b, srv, "GET", "query_range", "query=up&start=1795564200&end=1795564800&step=1"); status != 200 {
			b.Fatal(status)
		}
	}
}
