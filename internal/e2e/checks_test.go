package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAssignedChecks: the catalogue asks a host for checks; the agent makes
// them, refuses to go where its own file does not let it, takes up another
// catalogue without a restart and makes them too while the collector is away.
func TestAssignedChecks(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(web.Close)
	p := startPair(t)
	catalogue := func(component string) {
		p.collector.stop()
		text := fmt.Sprintf("components: [{name: %[1]s, interval: 1s}, {name: metadata, interval: 1s}]\n"+
			"checks:\n  - {component: %[1]s, from: [%[2]q], http: %[3]q}\n  - {component: metadata, from: [%[2]q], http: \"http://169.254.169.254/\"}\n  - {component: metadata, from: [another], icmp: a.example}\n",
			component, hostname(t), web.URL)
		if err := os.WriteFile(filepath.Join(p.data, "catalogue.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p.startCollector()
	}
	state := func(component string) string {
		points, err := p.tryQuery(fmt.Sprintf("last_over_time(plimsoll_check_state{component=%q}[5s])", component), time.Time{})
		if err != nil || len(points) != 1 {
			return ""
		}
		return fmt.Sprint(points[0].Value[1])
	}
	p.agent.stop()
	config := filepath.Join(p.agentDir, "agent.yaml")
	text := "interval: 1s\nlisten: off\ndata: " + p.agentDir + "\nassigned: {allow: [127.0.0.1/32]}\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	catalogue("shop")
	p.startAgent()
	waitFor(t, "the assigned check is up", 30*time.Second, func() bool { return state("shop") == "1" })
	if got := state("metadata"); got != "" {
		t.Errorf("the state of what must not be reached is %s, want none", got)
	}
	out, _, _ := runOnce(t, "plimsoll-agent", "check", "--config", config)
	for _, want := range []string{"assigned shop/http", "answered 200", "assigned metadata/http", "unknown", "is not an address this host lets the collector test"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table of plimsoll-agent check lacks %q:\n%s", want, out)
		}
	}

	running := p.agent.cmd.Process.Pid
	catalogue("shop-2")
	waitFor(t, "the other catalogue is taken up", 100*time.Second, func() bool { return state("shop-2") == "1" })
	waitFor(t, "the check that is gone is made no longer", 15*time.Second, func() bool { return state("shop") == "" })
	if p.agent.cmd.Process.Pid != running {
		t.Error("the agent was started again")
	}

	// Both stop; the agent alone starts, makes its checks from the copy on
	// disk, and delivers later.
	p.agent.stop()
	p.collector.stop()
	away := time.Now()
	p.startAgent()
	<-time.After(3 * time.Second)
	back := time.Now()
	p.startCollector()
	waitFor(t, "what was measured while the collector was away", 30*time.Second, func() bool {
		points, err := p.tryQuery(fmt.Sprintf("count_over_time(plimsoll_check_state{component=\"shop-2\"}[%dms] @ %.3f)", back.Sub(away).Milliseconds(), float64(back.UnixMilli())/1000), time.Time{})
		return err == nil && len(points) == 1
	})
}
