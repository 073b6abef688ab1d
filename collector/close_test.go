package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// openAgain runs a whole collector on a data directory that a test fills, by
// the test's clock.
func openAgain(t *testing.T, data string, now func() time.Time) *running {
	t.Helper()
	config := Defaults()
	config.Data, config.Listen, config.ListenAgents = data, "127.0.0.1:0", "127.0.0.1:0"
	c, err := New(Options{Config: config, Version: "test", Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	r := &running{t: t, c: c, data: data, stop: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	r.until("the series are complete", func() bool { _, _, ready := c.series.Progress(); return ready })
	return r
}

// call asks the API as anybody on this host.
func (r *running) call(method, path string, body any, into any) int {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequest(method, r.c.URL()+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Language", r.language)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode
}

// TestLateFactsDoNotChangeAClosedMonth: facts come over the agents' port, the
// month is closed, its collector is started anew, late facts come the same
// way: figure, explanation and report stay, a proposal waits, and its
// acceptance restates them. An explanation names the journal's record of each
// streak.
func TestLateFactsDoNotChangeAClosedMonth(t *testing.T) {
	data := t.TempDir()
	// The facts of three hours lie in one month: in the first hours of a month
	// it is six hours earlier.
	now := time.Now
	if edge := now().UTC().Add(-4 * time.Hour); edge.Month() != edge.Add(4*time.Hour).Month() {
		now = func() time.Time { return time.Now().Add(-6 * time.Hour) }
	}
	begin := now().UTC().Truncate(time.Minute).Add(-4 * time.Hour)
	at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
	month := begin.Format("2006-01")
	catalogue := fmt.Sprintf(`components:
  - {name: page, interval: 60s}
services:
  - {name: shop, customer: acme, needs: page}
agreements:
  - {number: S-1, version: 1, service: shop, zone: UTC, effective: {from: "%s", to: "%s"}, indicators: [{name: availability, target: 99%%}]}
`, at(0).Format(time.RFC3339), at(120).Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	r := openAgain(t, data, now)
	id, _ := r.enrol("probe")
	client := clientOf(id.ClientTLS(), false)
	seq := uint64(0)
	send := func(from, to int, state float64) {
		t.Helper()
		var samples []batch.Sample
		s := &batch.Series{Labels: labels.FromStrings("__name__", "plimsoll_check_state", "component", "page", "check", "http")}
		for m := from; m < to; m++ {
			samples = append(samples, batch.Sample{Series: s, T: at(m).UnixMilli(), V: state})
		}
		seq++
		status, err := post(client, r.c.AgentsAddr(), wire.WritePath, batch.Encode(samples), map[string]string{"Content-Type": wire.ContentType1,
			"Content-Encoding": "snappy", wire.HeaderRun: "run", wire.HeaderSeq: strconv.FormatUint(seq, 10)})
		if err != nil || status/100 != 2 {
			t.Fatalf("deliver: status %d, %v", status, err)
		}
		for deadline := time.Now().Add(30 * time.Second); r.c.fold.Position() < r.c.journal.Last() && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	// down is the explained downtime in ms, and how much is unknown.
	down := func() (d, x string, first uint64) {
		t.Helper()
		time.Sleep(1100 * time.Millisecond) // figures of one second are shared
		var e struct {
			Explanations []struct {
				Share struct {
					D string `json:"d_ms"`
					X string `json:"x_ms"`
				} `json:"share"`
				Facts []struct {
					Born *struct {
						Position uint64 `json:"position"`
					} `json:"first_known"`
				} `json:"facts"`
			} `json:"explanations"`
		}
		if status := r.call(http.MethodGet, "/api/v1/services/shop/explain?period="+month, nil, &e); status != http.StatusOK || len(e.Explanations) != 1 {
			t.Fatalf("explain: status %d, %+v", status, e)
		}
		for _, f := range e.Explanations[0].Facts {
			if f.Born != nil {
				first = f.Born.Position
				break
			}
		}
		return e.Explanations[0].Share.D, e.Explanations[0].Share.X, first
	}

	send(0, 60, 1)
	send(90, 120, 1) // half an hour is missing
	d, x, record := down()
	if d != "0" || x == "0" || record == 0 {
		t.Fatalf("before closing: D = %s ms, X = %s ms, first journal record %d", d, x, record)
	}
	var p struct {
		State, SHA256 string
		Version       int
	}
	if status := r.call(http.MethodPost, "/api/v1/periods/"+month+"/close", map[string]string{"customer": "acme"}, &p); status != http.StatusOK || p.State != "closed" {
		t.Fatalf("close: status %d, %+v", status, p)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = openAgain(t, data, now)

	send(60, 90, 0) // it was down all that time
	if got, _, _ := down(); got != d {
		t.Errorf("late facts changed the closed downtime from %s to %s ms", d, got)
	}
	var all struct {
		Periods []struct {
			State       string
			Version     int
			Differences []struct{ Figure, Was, Is string }
		}
	}
	r.call(http.MethodPost, "/api/v1/periods/check", struct{}{}, &all)
	if len(all.Periods) != 2 || all.Periods[1].State != "proposed" || len(all.Periods[1].Differences) == 0 {
		t.Fatalf("after late facts: %+v", all)
	}
	if got, _, _ := down(); got != d {
		t.Errorf("a proposal changed the closed downtime to %s ms", got)
	}
	if text := r.report(month); !strings.Contains(text, p.SHA256) {
		t.Error("the report does not say the hash of the version that stands")
	}
	if status := r.call(http.MethodPost, "/api/v1/periods/"+month+"/decide", map[string]any{"customer": "acme", "version": 2, "accept": true}, &p); status != http.StatusOK || p.State != "accepted" {
		t.Fatalf("accept: status %d, %+v", status, p)
	}
	if got, _, _ := down(); got != strconv.Itoa(30*60_000) {
		t.Errorf("restated, D = %s ms, want half an hour", got)
	}
}

func (r *running) report(month string) string {
	r.t.Helper()
	var b bytes.Buffer
	if err := r.c.writeReport(context.Background(), &b, "acme", month, "en", r.c.opt.Now()); err != nil {
		r.t.Fatal(err)
	}
	return b.String()
}
