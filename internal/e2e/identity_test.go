package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/agent"
	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// life is how long a host's certificate is good for when nothing is configured.
const life = 7 * 24 * time.Hour

// calendar is a clock that a test moves forward: weeks pass in a moment.
type calendar struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *calendar) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *calendar) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// fleet is a collector and one host that live by one calendar, in this process.
type fleet struct {
	t    *testing.T
	time calendar
	c    *collector.Collector
	site site
	data string // of the agent
	log  lockedBuffer
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, data: t.TempDir()}
	config := collector.Defaults()
	config.Data, config.Listen, config.ListenAgents = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c, err := collector.New(collector.Options{Config: config, Version: "test", Log: slog.New(slog.DiscardHandler), Now: f.time.now})
	if err != nil {
		t.Fatal(err)
	}
	f.c, f.site = c, site{t, c.URL()}
	f.live("collector", c.Run)
	return f
}

// live runs a program of ours until the test ends.
func (f *fleet) live(what string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Errorf("%s: %v", what, err)
		}
		if f.t.Failed() && what == "agent" {
			f.t.Logf("the agent said:\n%s", tail(f.log.String(), 30))
		}
	})
}

func (f *fleet) enrol() identity.Identity {
	f.t.Helper()
	token, err := f.c.EnrolToken(context.Background(), "", time.Hour)
	if err != nil {
		f.t.Fatal(err)
	}
	id, err := identity.Enrol(context.Background(), identity.Request{Token: token.Token, Collector: f.c.AgentsAddr(), Hostname: "web-1",
		Version: "test", Dir: filepath.Join(f.data, "identity"), Now: f.time.now})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

func (f *fleet) startAgent() {
	f.t.Helper()
	config := agent.Defaults()
	config.Data, config.Listen, config.Interval = f.data, "off", settings.Duration(250*time.Millisecond)
	a, err := agent.New(agent.Options{Config: config, Version: "test", Log: slog.New(slog.NewTextHandler(&f.log, nil)), Now: f.time.now})
	if err != nil {
		f.t.Fatal(err)
	}
	f.live("agent", a.Run)
}

// status asks the agent as a person on its host does.
func (f *fleet) status() agent.Status {
	f.t.Helper()
	var s agent.Status
	out, _, _ := runOnce(f.t, "plimsoll-agent", "status", "--data", f.data, "--json")
	if out != "" && json.Unmarshal([]byte(out), &s) != nil {
		f.t.Fatalf("status: %s", out)
	}
	return s
}

// metric is a counter of the collector.
func (f *fleet) metric(name string) int {
	f.t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(f.site.mustGet("/metrics"))
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		f.t.Fatalf("%s: %v", name, err)
	}
	return int(v)
}

// delivered waits until that many more records are acknowledged.
func (f *fleet) delivered(more uint64) {
	f.t.Helper()
	from := f.status().Delivering.Delivered
	waitFor(f.t, fmt.Sprintf("%d more records acknowledged", more), 40*time.Second, func() bool { return f.status().Delivering.Delivered >= from+more })
}

// TestCertificateIsRenewedWhileItDelivers: at two thirds of its life, without a
// restart, an attempt that failed, or a record that was lost or sent twice;
// and the new certificate carries on beyond the end of the old one.
func TestCertificateIsRenewedWhileItDelivers(t *testing.T) {
	f := newFleet(t)
	first := f.enrol()
	f.time.pass(first.RenewAt().Sub(f.time.now()) - 3*time.Second)
	f.startAgent()
	f.delivered(2)
	if n := f.metric("plimsoll_identity_renewals_total"); n != 0 {
		t.Fatalf("renewed %d times before two thirds of the life", n)
	}
	waitFor(t, "renewed", 30*time.Second, func() bool { return f.metric("plimsoll_identity_renewals_total") == 1 })
	f.delivered(4)
	f.time.pass(first.Expires.Sub(f.time.now()) + time.Minute)
	f.delivered(4)
	s := f.status()
	if left := s.Expires.Sub(first.Expires); left < life/2 {
		t.Errorf("the certificate ends %v after the first, want most of %v", left, life)
	}
	for _, reason := range []string{"expired_certificate", "renewed_just_now"} {
		if n := f.metric(`plimsoll_identity_refusals_total{reason="` + reason + `"}`); n != 0 {
			t.Errorf("%d times refused as %s, want none", n, reason)
		}
	}
	if said := f.log.String(); strings.Contains(said, "level=WARN") || !strings.Contains(said, "certificate renewed") {
		t.Errorf("the log has a fault, or nothing of the renewal:\n%s", said)
	}
	if n := f.metric(`plimsoll_receive_repeated_total{instance="web-1"}`); n != 0 {
		t.Errorf("%d records were sent twice", n)
	}
	// Read before the records: what comes meanwhile can only make them more.
	acknowledged := f.status().Delivering.Delivered
	if got := f.metric(`plimsoll_receive_batches_total{instance="web-1"}`); uint64(got) < acknowledged {
		t.Errorf("the collector has %d records, the agent had %d acknowledged", got, acknowledged)
	}
}

// TestHostAwayAMonth: it comes back by itself.
func TestHostAwayAMonth(t *testing.T) {
	f := newFleet(t)
	f.enrol()
	f.time.pass(life + identity.Grace - time.Hour)
	f.startAgent()
	f.delivered(4)
	if n := f.metric("plimsoll_identity_renewals_total"); n != 1 {
		t.Errorf("renewed %d times, want once", n)
	}
}

// TestHostAwayTooLong: it says so, with the command; enrolling it again while
// it runs brings it back under its name, with what it measured meanwhile.
func TestHostAwayTooLong(t *testing.T) {
	f := newFleet(t)
	before := f.enrol()
	f.time.pass(life + identity.Grace + time.Hour)
	f.startAgent()
	const why = "more than 30 days ago, which is too long to renew it: enrol it again with a new token"
	waitFor(t, "the reason in the status", 30*time.Second, func() bool { return strings.Contains(f.status().CertificateTrouble, why) })
	if out, _, _ := runOnce(t, "plimsoll-agent", "status", "--data", f.data); !strings.Contains(out, why) {
		t.Errorf("status prints %s, want … %s", out, why)
	}
	if !strings.Contains(f.log.String(), why) {
		t.Errorf("the log does not say why:\n%s", f.log.String())
	}
	if got := f.status().Delivering.Delivered; got != 0 {
		t.Errorf("%d records delivered with a certificate that has ended", got)
	}
	again := f.enrol()
	if again.Host != before.Host || again.Instance != before.Instance {
		t.Errorf("enrolled again: got %s %s, want %s %s", again.Host, again.Instance, before.Host, before.Instance)
	}
	f.delivered(4)
}
