package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPluginAndHeartbeat: the real agent runs a plugin, whose performance data
// are series of the collector, and hears a job: by its own command, which gives
// the job's status, and by plain HTTP. A job that falls silent is down; after a
// restart of the agent in which it may have been missed it is unknown.
func TestPluginAndHeartbeat(t *testing.T) {
	t.Parallel()
	dir, people, agents, own := t.TempDir(), freeAddr(t), freeAddr(t), freeAddr(t)
	data := filepath.Join(dir, "collector")
	start(t, "plimsoll-collector", "run", "--data", data, "--listen", people, "--listen-agents", agents)
	s := site{t, "http://" + people}
	waitFor(t, "the collector is ready", 20*time.Second, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })
	config := filepath.Join(dir, "agent.yaml")
	appendTo(t, config, fmt.Sprintf(`interval: 1s
listen: %s
data: %s
checks:
  - {component: plug, plugin: [/bin/sh, -c, "echo 'WARNING - half full | used=50%%;40;90;0;100'; exit 1"]}
  - {component: backup, heartbeat: backup, expect: {every: 4s, grace: 2s}}
  - {component: report, heartbeat: report, expect: {every: 1h}}
`, own, filepath.Join(dir, "agent")))
	if out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", s.token(), "--config", config); status != 0 {
		t.Fatalf("enrol: %s %s", out, errs)
	}
	agent := start(t, "plimsoll-agent", "run", "--config", config)
	state := func(component string) string {
		p := s.query(`plimsoll_check_state{component="`+component+`"}`, time.Time{})
		if len(p) == 0 {
			return "unknown"
		}
		return fmt.Sprint(p[0].Value[1])
	}
	waitFor(t, "the plugin is degraded", 30*time.Second, func() bool { return state("plug") == "0.5" })
	for name, want := range map[string]string{"value": "50", "warning": "40", "critical": "90", "min": "0", "max": "100"} {
		if p := s.query(`plimsoll_plugin_`+name+`{component="plug",label="used",unit="%"}`, time.Time{}); len(p) != 1 || p[0].Value[1] != want {
			t.Errorf("performance data, %s: got %v, want %v", name, p, want)
		}
	}
	out, errs, status := runOnce(t, "plimsoll-agent", "beat", "backup", "--config", config, "--", "/bin/sh", "-c", "echo copied")
	if status != 0 || out != "copied\n" || errs != "" {
		t.Errorf("beat: got %q %q %d", out, errs, status)
	}
	waitFor(t, "the job is up", 20*time.Second, func() bool { return state("backup") == "1" })
	waitFor(t, "the job is overdue", 20*time.Second, func() bool { return state("backup") == "0" })
	resp, err := http.Post("http://"+own+"/beat/backup", "text/plain", strings.NewReader("by curl"))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("beat by HTTP: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	waitFor(t, "the job is up again", 20*time.Second, func() bool { return state("backup") == "1" })
	if _, errs, status := runOnce(t, "plimsoll-agent", "beat", "backup", "--config", config, "--", "/bin/sh", "-c", "exit 3"); status != 3 || errs != "" {
		t.Errorf("a job that fails: got status %d, %q", status, errs)
	}
	waitFor(t, "the job that failed is down", 20*time.Second, func() bool { return state("backup") == "0" })
	if _, errs, status := runOnce(t, "plimsoll-agent", "beat", "bakup", "--config", config); status != 1 || !strings.Contains(errs, "no check of this agent waits for a heartbeat of that name") {
		t.Errorf("a name nobody waits for: status %d, %q", status, errs)
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+own+"/beat/report", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://elsewhere.example")
	if resp, err := http.DefaultClient.Do(request); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page in a browser: %v %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	agent.stop()
	if _, errs, status := runOnce(t, "plimsoll-agent", "beat", "backup", "--config", config, "--", "/bin/true"); status != 0 || !strings.Contains(errs, "is the agent running") {
		t.Errorf("nobody listens: the job's status became %d, %q", status, errs)
	}
	if p := s.query(`plimsoll_check_state{component="report"}`, time.Time{}); len(p) != 0 {
		t.Errorf("a job that was never heard is %v, want no sample", p)
	}
}
