package e2e

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
)

// TestSecrets plants canaries in every place that holds a secret and looks for
// them wherever text leaves the programs: logs, metrics, pages, API, exports,
// audit, status, the table of check, and what is printed on a crash.
func TestSecrets(t *testing.T) {
	t.Parallel()
	canaries := map[string]string{} // what ─▶ text that must not be seen
	add := func(what, secret string) {
		if len(secret) < 12 {
			t.Fatalf("%s: %q is too short to look for", what, secret)
		}
		canaries[what] = secret
	}
	listen, agents, data, agentDir := freeAddr(t), freeAddr(t), t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), fmt.Appendf(nil, killCatalogue, hostname(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	s := site{t, "http://" + listen}
	collector := start(t, "plimsoll-collector", "run", "--data", data, "--listen", listen, "--listen-agents", agents)
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	secret, _, err := identity.ParseToken(s.token())
	if err != nil {
		t.Fatal(err)
	}
	add("an enrolment token", secret)

	// An agent behind a proxy that wants a password, and one that delivers
	// elsewhere with a bearer token; both fail, so both have something to say.
	bearer := filepath.Join(agentDir, "bearer")
	if err := os.WriteFile(bearer, []byte("canary-bearer-4f9a1c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add("the bearer token", "canary-bearer-4f9a1c")
	add("the proxy's password", "canary-proxy-7be210")
	dead := freeAddr(t)
	write := func(name, text string) string {
		path := filepath.Join(agentDir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	enrolled, proxied, foreign := filepath.Join(agentDir, "a"), filepath.Join(agentDir, "b"), filepath.Join(agentDir, "c")
	var stdout strings.Builder
	for _, dir := range []string{enrolled, proxied} {
		out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", s.token(), "--data", dir)
		if status != 0 {
			t.Fatalf("enrol: %s %s", out, errs)
		}
		stdout.WriteString(out + errs)
	}
	configs := []string{
		write("a.yaml", "interval: 200ms\nlisten: "+freeAddr(t)+"\ndata: "+enrolled+"\n"),
		write("b.yaml", "interval: 200ms\nlisten: off\ndata: "+proxied+"\ncollector: {proxy: \"http://user:canary-proxy-7be210@"+dead+"\"}\n"),
		write("c.yaml", "interval: 200ms\nlisten: off\ndata: "+foreign+"\nremote_write: {url: \"http://"+dead+"/api/v1/write\", bearer_token_file: "+bearer+"}\n"),
	}
	var running []*process
	for _, config := range configs {
		running = append(running, start(t, "plimsoll-agent", "run", "--config", config))
		out, errs, _ := runOnce(t, "plimsoll-agent", "check", "--config", config)
		stdout.WriteString(out + errs)
	}
	// Every private key there is, by a line of its own.
	for _, dir := range []string{data, agentDir} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".key") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			block, _ := pem.Decode(text)
			if block == nil {
				return fmt.Errorf("%s holds no PEM", path)
			}
			add("the key "+filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), strings.Split(string(pem.EncodeToMemory(block)), "\n")[1])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "samples", 20*time.Second, func() bool { points, err := s.tryQuery("up", time.Time{}); return err == nil && len(points) > 0 })

	// What anybody may read while there is no login.
	var seen bytes.Buffer
	for _, path := range []string{"/", "/hosts", "/hosts/" + hostname(t), "/problems", "/reports", "/metrics", "/api/v1/services", "/api/v1/hosts", "/api/v1/hosts/" + hostname(t) + "/silences",
		"/api/v1/outages", "/api/v1/problems", "/api/v1/enrol-tokens", "/api/v1/authorities", "/api/v1/audit/verify", "/api/v1/openapi.json", "/api/v1/catalogue", "/api/v1/facts.csv",
		"/prometheus/api/v1/labels", "/prometheus/api/v1/query?query={__name__=~\".%2B\"}", "/prometheus/api/v1/series?match[]=up"} {
		_, body := s.get(path)
		seen.WriteString(body)
	}
	// And then with a user, a token, a login that fails.
	const password = "canary-password-91d3"
	add("the password", password)
	if out, ok := asCollector(t, password+"\n", nil, "user", "add", "root", "--role", "admin", "--data", data); !ok {
		t.Fatal(out)
	} else {
		stdout.WriteString(out)
	}
	tokenFile := filepath.Join(agentDir, "api-token")
	if out, ok := asCollector(t, "", nil, "token", "create", "--name", "canary", "--out", tokenFile, "--data", data); !ok {
		t.Fatal(out)
	} else {
		stdout.WriteString(out)
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	add("the API token", strings.TrimSpace(string(token))[22:])
	for _, args := range [][]string{{"token", "list", "--data", data}, {"user", "list", "--data", data}, {"enrol", "list", "--data", data}, {"audit", "verify", "--data", data}, {"host", "list", "--data", data}} {
		out, _ := asCollector(t, "", nil, args...)
		stdout.WriteString(out)
	}
	req, err := http.NewRequest(http.MethodGet, s.base+"/api/v1/hosts", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token))+"x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, dir := range []string{enrolled, proxied, foreign} {
		for _, args := range [][]string{{"status", "--data", dir}, {"status", "--json", "--data", dir}} {
			out, errs, _ := runOnce(t, "plimsoll-agent", args...)
			stdout.WriteString(out + errs)
		}
	}
	// A crash prints every goroutine.
	for _, p := range append(running, collector) {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.done
	}
	places := map[string]string{"what anybody may read": seen.String(), "what commands print": stdout.String(), "the collector's log": collector.log.String()}
	for i, p := range running {
		places["the log of agent "+string(rune('a'+i))] = p.log.String()
	}
	if !strings.Contains(places["the collector's log"], "goroutine ") {
		t.Error("the collector printed no goroutines when it crashed: that was to be looked through")
	}
	for place, text := range places {
		if len(text) < 200 {
			t.Errorf("%s: only %d bytes to look through", place, len(text))
		}
		for what, secret := range canaries {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s", place, what)
			}
		}
	}
	t.Logf("%d canaries, %d places, %d KiB looked through", len(canaries), len(places), (seen.Len()+stdout.Len()+len(collector.log.String()))>>10)
}
