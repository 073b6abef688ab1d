package simulate

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const minute = int64(60_000)

// anyPlan draws an hour of three hosts and up to six events that do not meet
// on one host: two causes at once have no single truth.
func anyPlan(t *rapid.T) Plan {
	const begin = int64(1_790_000_000_000)
	p := Plan{Seed: rapid.Uint64().Draw(t, "seed"), From: begin, To: begin + 60*minute, Every: 15_000, Bundle: rapid.IntRange(0, 5).Draw(t, "bundle")}
	for _, name := range []string{"a", "b", "c"} {
		p.Hosts = append(p.Hosts, Host{Name: name, ID: name, Phase: rapid.Int64Range(0, 14_999).Draw(t, "phase")})
	}
	p.Checks = []Check{{Component: "a", Target: "icmp a", Kind: "icmp", On: "a", Observers: []string{"b", "c"}}}
	kinds := []Kind{PathCut, NetworkOut, AgentStop, AgentCrash, AgentStall, Reboot, Crash, Suspend, Pause, ClockStep, DataLoss, Fault}
	at := begin + 2*minute
	for range rapid.IntRange(0, 6).Draw(t, "events") {
		e := Event{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Host: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "host"), Component: "a", By: rapid.Int64Range(-86_400_000, 86_400_000).Draw(t, "by")}
		e.From = at + rapid.Int64Range(0, 2*minute).Draw(t, "after")
		e.To = e.From + rapid.Int64Range(1, 6*minute).Draw(t, "for")
		at = e.To + 2*minute
		p.Events = append(p.Events, e)
	}
	return p
}

// TestSameSeedSameBytes: a plan played twice gives the same bytes.
func TestSameSeedSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		sum := func() string {
			h, encoder := sha256.New(), sample.NewEncoder()
			for d := range p.Deliveries() {
				h.Write(d.Env.Append(nil))
				if d.Note != nil {
					_ = json.NewEncoder(h).Encode(d.Note)
					continue
				}
				body, err := encoder.Encode(d.Set)
				if err != nil {
					t.Fatal(err)
				}
				h.Write(body)
			}
			return fmt.Sprintf("%x", h.Sum(nil))
		}
		if first, second := sum(), sum(); first != second {
			t.Fatalf("played twice: %s and %s", first, second)
		}
	})
}

// TestDeliveriesAreAsAgentsSend: they come in the order of receipt and not
// after the plan's end; each host's sequence has no hole but for what a note
// says was lost; a boot clock never runs back within a boot; nothing is
// measured while the process does not run; nothing gets through a cut.
func TestDeliveriesAreAsAgentsSend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		received := int64(0)
		seq, boot := map[string]uint64{}, map[string]wire.Clocks{}
		for d := range p.Deliveries() {
			e := d.Env
			if e.ReceivedAt < received || e.ReceivedAt >= p.To {
				t.Fatalf("received at %d after %d, the plan ends at %d", e.ReceivedAt, received, p.To)
			}
			received = e.ReceivedAt
			missing := e.Seq - seq[e.Host] - 1
			if missing != 0 && (d.Note == nil || d.Note.Loss == nil || uint64(d.Note.Loss.Records) != missing) {
				t.Fatalf("%s: sequence %d after %d, and no note of the loss", e.Host, e.Seq, seq[e.Host])
			}
			seq[e.Host] = e.Seq
			if before := boot[e.Boot]; e.Clocks.Boot < before.Boot || e.Clocks.Mono > e.Clocks.Boot {
				t.Fatalf("%s: clocks %+v after %+v", e.Host, e.Clocks, before)
			}
			boot[e.Boot] = e.Clocks
			for _, ev := range p.of(e.Host, PathCut, NetworkOut) {
				if ev.From <= received && received < ev.To {
					t.Fatalf("%s: received at %d through %+v", e.Host, received, ev)
				}
			}
		}
	})
}

// TestTruth: each row is an event, and what it is to the host and to a
// component that runs on it.
func TestTruth(t *testing.T) {
	for _, row := range []struct {
		kind            Kind
		host, component bool // down
	}{
		{Reboot, true, true}, {Crash, true, true}, {Pause, true, true}, {Suspend, false, true},
		{AgentStop, false, false}, {AgentCrash, false, false}, {AgentStall, false, false},
		{PathCut, false, false}, {NetworkOut, false, false}, {CollectorAway, false, false}, {ClockStep, false, false}, {DataLoss, false, false},
		{Fault, false, true},
	} {
		p := Plan{From: 0, To: 100 * minute, Every: minute, Checks: []Check{{Component: "shop", On: "a"}},
			Events: []Event{{Kind: row.kind, Host: "a", Component: "shop", From: 10 * minute, To: 20 * minute}}}
		down := func(all []Stretch) bool { return slices.ContainsFunc(all, func(s Stretch) bool { return s.Down }) }
		if host, component := down(p.HostTruth("a")), down(p.ComponentTruth("shop")); host != row.host || component != row.component {
			t.Errorf("%s: host down %v, component down %v, want %v, %v", row.kind, host, component, row.host, row.component)
		}
	}
}
