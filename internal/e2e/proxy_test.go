package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// behindProxy is the collector's name on the far side: no name server knows
// it, so who reaches it came through the proxy.
const behindProxy = "collector.invalid"

// connectProxy is an HTTP proxy that lets user:pass CONNECT to behindProxy
// alone, which is collector, and counts the connections it made.
func connectProxy(t *testing.T, collector string) (address string, made *atomic.Int32) {
	t.Helper()
	made = new(atomic.Int32)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, _ := net.SplitHostPort(r.Host); r.Method != http.MethodConnect || host != behindProxy {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		far, err := net.Dial("tcp", collector)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = far.Close() }()
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = near.Close() }()
		made.Add(1)
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, buffered); _ = far.Close() }()
		_, _ = io.Copy(near, far)
	}))
	t.Cleanup(proxy.Close)
	return strings.TrimPrefix(proxy.URL, "http://"), made
}

// TestEverythingThroughTheProxy: a host whose only way is an HTTP proxy
// enrols and delivers; the proxy's password shows nowhere.
func TestEverythingThroughTheProxy(t *testing.T) {
	t.Parallel()
	listen, agents, dir := freeAddr(t), freeAddr(t), t.TempDir()
	start(t, "plimsoll-collector", "run", "--data", t.TempDir(), "--listen", listen, "--listen-agents", agents)
	s := site{t, "http://" + listen}
	waitFor(t, "the collector healthy", 15*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	proxy, made := connectProxy(t, agents)
	config := filepath.Join(dir, "agent.yaml")
	enrol := func(user string) (out string, status int) {
		text := fmt.Sprintf("interval: 1s\nlisten: off\ndata: %s\ncollector: {proxy: \"http://%s@%s\"}\n", dir, user, proxy)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--config", config, "--collector", behindProxy+":9443", "--token", s.token())
		return out + errs, status
	}
	if out, status := enrol("user:another-pass"); status == 0 || !strings.Contains(out, "Proxy Authentication Required") || strings.Contains(out, "another-pass") {
		t.Errorf("enrol with another password of the proxy: %d %s", status, out)
	}
	if out, status := enrol("user:pass"); status != 0 {
		t.Fatalf("enrol through the proxy: %d %s", status, out)
	}
	if n := made.Load(); n != 1 {
		t.Errorf("the proxy made %d connections for the enrolment, want 1", n)
	}
	agent := start(t, "plimsoll-agent", "run", "--config", config)
	waitFor(t, "a delivery through the proxy", 20*time.Second, func() bool {
		points, err := s.tryQuery("up", time.Time{})
		return err == nil && len(points) == 1
	})
	agent.stop()
	if strings.Contains(agent.log.String(), "user:pass") {
		t.Error("the agent's log shows the password of the proxy")
	}
}
