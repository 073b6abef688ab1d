package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// asCollector runs a verb of the collector with a password on its standard input.
func asCollector(t *testing.T, stdin string, env []string, args ...string) (out string, ok bool) {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "plimsoll-collector"), args...)
	cmd.Stdin, cmd.Env = strings.NewReader(stdin), append(os.Environ(), env...)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// TestPeopleFromTheCommandLine: from "no login" to users, tokens and a lost
// password, each step with the verbs a person types.
func TestPeopleFromTheCommandLine(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "d"), freeAddr(t)
	p := start(t, "plimsoll-collector", "run", "--data", data, "--listen", addr, "--listen-agents", "127.0.0.1:0")
	s := site{t, "http://" + addr}
	waitFor(t, "the collector", 30*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	if !strings.Contains(p.log.String(), "no login") || !strings.Contains(s.mustGet("/"), "no login") {
		t.Error("neither the log nor the page says that no login is needed")
	}
	tokenFile, open := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "open-token")
	collector := []string{"--collector", s.base}
	for _, step := range []struct {
		what  string
		stdin string
		args  []string
		ok    bool
		says  string
	}{
		{"no user yet", "", append([]string{"user", "list"}, collector...), true, "no user yet"},
		{"a weak password", "short\n", []string{"user", "add", "root", "--role", "admin", "--data", data}, false, "shorter than 12 characters"},
		{"the first administrator", "correct horse battery\n", []string{"user", "add", "root", "--role", "admin", "--data", data}, true, "user root, admin"},
		{"now a login is needed on loopback too", "", append([]string{"user", "list"}, collector...), false, "--token-file"},
		{"a token for reading", "", []string{"token", "create", "--name", "grafana", "--out", tokenFile, "--data", data}, true, "not shown again"},
		{"it reads", "", append([]string{"audit", "verify", "--token-file", tokenFile}, collector...), true, "good: "},
		{"it does no more", "", append([]string{"enrol", "create", "--token-file", tokenFile}, collector...), false, "token grafana may not do this"},
		{"the host lets hosts in", "", []string{"enrol", "create", "--data", data}, true, "plimsoll-agent enrol"},
		{"a lost password", "another horse battery\n", []string{"user", "passwd", "root", "--data", data}, true, ""},
		{"the last administrator", "", []string{"user", "disable", "root", "--data", data}, false, "last administrator"},
		{"nobody of that name", "", []string{"user", "role", "wu", "viewer", "--data", data}, false, "no such user"},
		{"all tokens", "", []string{"token", "list", "--data", data}, true, "grafana"},
	} {
		if out, ok := asCollector(t, step.stdin, nil, step.args...); ok != step.ok || !strings.Contains(out, step.says) {
			t.Errorf("%s: plimsoll-collector %s: ok %v, want %v saying %q:\n%s", step.what, strings.Join(step.args, " "), ok, step.ok, step.says, out)
		}
	}
	text, err := os.ReadFile(tokenFile)
	if info, serr := os.Stat(tokenFile); err != nil || serr != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v %v %v", info, err, serr)
	}
	if err := os.WriteFile(open, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, ok := asCollector(t, "", nil, append([]string{"audit", "verify", "--token-file", open}, collector...)...); !ok || !strings.Contains(out, "others can read") {
		t.Errorf("a token others can read: %v %s", ok, out)
	}
	env := []string{"PLIMSOLL_TOKEN=" + strings.TrimSpace(string(text))}
	if out, ok := asCollector(t, "", env, append([]string{"audit", "verify"}, collector...)...); !ok {
		t.Errorf("a token by the environment: %s", out)
	}
	if out, ok := asCollector(t, "", env, "audit", "verify", "--collector", "http://192.0.2.1:1876"); ok || !strings.Contains(out, "refused to send the token") {
		t.Errorf("a token over plain http: %v %s", ok, out)
	}
	id := regexp.MustCompile(`plt1\.([0-9a-f]{16})\.`).FindSubmatch(text)
	if out, ok := asCollector(t, "", nil, "token", "revoke", string(id[1]), "--data", data); !ok {
		t.Errorf("revoke: %s", out)
	}
	if out, ok := asCollector(t, "", env, append([]string{"audit", "verify"}, collector...)...); ok || !strings.Contains(out, "revoked") {
		t.Errorf("a revoked token: %v %s", ok, out)
	}
	p.kill() // the socket stays behind
	again := start(t, "plimsoll-collector", "run", "--data", data, "--listen", addr, "--listen-agents", "127.0.0.1:0")
	waitFor(t, "the collector again", 30*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	if out, ok := asCollector(t, "", nil, "user", "list", "--data", data); !ok || !strings.Contains(out, "root") {
		t.Errorf("after a kill: %v %s", ok, out)
	}
	if secret := strings.TrimSpace(string(text))[22:]; strings.Contains(p.log.String()+again.log.String(), secret) || strings.Contains(p.log.String(), "horse") {
		t.Error("a secret is in the log")
	}
}

// TestBeyondLoopback listens on every address, in a network namespace where
// nobody else is: TLS, a set-up link that works once, no page without a login.
func TestBeyondLoopback(t *testing.T) {
	unshare, nsenter, curl := need.Program(t, "unshare", "util-linux"), need.Program(t, "nsenter", "util-linux"), need.Program(t, "curl", "curl")
	need.Program(t, "ip", "iproute2")
	if out, err := exec.Command(unshare, "-rn", "true").CombinedOutput(); err != nil {
		need.Missing(t, fmt.Sprintf("no network namespaces for this user: %v %s", err, out))
	}
	data := filepath.Join(t.TempDir(), "d")
	p := launch(t, exec.Command(unshare, "-rn", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", filepath.Join(programs, "plimsoll-collector"),
		"run", "--data", data, "--listen", "0.0.0.0:1876", "--listen-agents", "127.0.0.1:1877"))
	waitFor(t, "the collector", 30*time.Second, func() bool { return strings.Contains(p.log.String(), "collector started") })
	link := regexp.MustCompile(`/setup\?link=[A-Za-z0-9_-]{43}`).FindString(p.log.String())
	if link == "" || !strings.Contains(p.log.String(), "authority_sha256") {
		t.Fatalf("no set-up link or no fingerprint:\n%s", p.log.String())
	}
	ask := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(nsenter, append([]string{"-t", strconv.Itoa(p.cmd.Process.Pid), "-U", "-n", "--preserve-credentials", curl, "-sS", "--max-time", "20", "--cacert",
			filepath.Join(data, "identity", "ca.pem"), "-w", "\n%{http_code} %{redirect_url}"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("curl %s: %v %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	const base = "https://127.0.0.1:1876"
	form := []string{"-d", "link=" + link[len("/setup?link="):], "-d", "name=root", "-d", "password=correct horse battery", "-d", "again=correct horse battery", base + "/setup"}
	for _, step := range []struct {
		what string
		args []string
		want string
	}{
		{"plain http", []string{"http://127.0.0.1:1876/"}, "\n400 "},
		{"a page", []string{base + "/"}, "\n303 " + base + "/login"},
		{"the API", []string{base + "/api/v1/hosts"}, "\n401 "},
		{"PromQL", []string{base + "/prometheus/api/v1/query?query=1"}, "\n401 "},
		{"metrics", []string{base + "/metrics"}, "\n401 "},
		{"health", []string{base + "/-/healthy"}, "\n200 "},
		{"another name of this host: logins make that safe", []string{"-H", "Host: monitor.example", base + "/login"}, "\n200 "},
		{"the link's page", []string{base + link}, "\n200 "},
		{"the first administrator", form, "\n303 " + base + "/"},
		{"the same link", form, "\n410 "},
	} {
		if out := ask(step.args...); !strings.Contains(out, step.want) {
			t.Errorf("%s: want %q at the end of:\n%s", step.what, step.want, tail(out, 8))
		}
	}
	if out, ok := asCollector(t, "", nil, "user", "list", "--data", data); !ok || !strings.Contains(out, "root") {
		t.Errorf("users: %v %s", ok, out)
	}
	p.stop()
	again := launch(t, exec.Command(unshare, "-rn", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", filepath.Join(programs, "plimsoll-collector"),
		"run", "--data", data, "--listen", "0.0.0.0:1876", "--listen-agents", "127.0.0.1:1877"))
	waitFor(t, "the collector again", 30*time.Second, func() bool { return strings.Contains(again.log.String(), "collector started") })
	sum := regexp.MustCompile(` certificate_sha256=[0-9a-f]{64}`)
	if strings.Contains(again.log.String(), "/setup?") || sum.FindString(p.log.String()) != sum.FindString(again.log.String()) {
		t.Errorf("with a user: another set-up link or another certificate:\n%s", again.log.String())
	}
}
