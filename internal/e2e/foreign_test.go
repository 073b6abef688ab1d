package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// foreignTarget serves what a node_exporter and a blackbox_exporter say.
func foreignTarget(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/probe" {
			fmt.Fprintln(w, "probe_success 0")
			return
		}
		for _, mode := range []string{"idle", "user"} {
			fmt.Fprintf(w, "node_cpu_seconds_total{cpu=\"0\",mode=%q} %d\n", mode, time.Now().Unix())
		}
		fmt.Fprintln(w, "node_memory_MemTotal_bytes 1000\nnode_memory_MemAvailable_bytes 250")
		fmt.Fprintln(w, `node_filesystem_size_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 1000`)
		fmt.Fprintln(w, `node_filesystem_avail_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 400`)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// hostOf is what the API says about hosts.
type hostOf struct {
	Instance, Customer, Sender, State string
	Usage                             []struct {
		Resource    string
		Used, Limit float64
	}
}

// TestForeignSenders: a Debian Prometheus and a Debian vmagent, told nothing but
// the block our command prints, bring their targets as hosts: with capacity, a
// dead one down by them, and all unknown, none down, when they are silent.
func TestForeignSenders(t *testing.T) {
	t.Parallel()
	for _, peer := range []struct {
		program, debian, kind string
		args                  func(dir, addr, block string) []string
	}{
		{"prometheus", "prometheus", "prometheus", func(dir, addr, block string) []string {
			appendTo(t, filepath.Join(dir, "scrape.yaml"), block)
			return []string{"--config.file=" + filepath.Join(dir, "scrape.yaml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr}
		}},
		{"vmagent", "victoria-metrics", "vmagent", func(dir, addr, block string) []string {
			return append(strings.Fields(block), "-promscrape.config="+filepath.Join(dir, "scrape.yaml"), "-remoteWrite.tmpDataPath="+filepath.Join(dir, "data"), "-httpListenAddr="+addr)
		}},
	} {
		t.Run(peer.program, func(t *testing.T) {
			t.Parallel()
			need.Program(t, peer.program, peer.debian)
			dir, people, agents := t.TempDir(), freeAddr(t), freeAddr(t)
			live, dead := foreignTarget(t), freeAddr(t)
			start(t, "plimsoll-collector", "run", "--data", filepath.Join(dir, "collector"), "--listen", people, "--listen-agents", agents)
			s := site{t, "http://" + people}
			waitFor(t, "the collector is ready", 20*time.Second, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })

			appendTo(t, filepath.Join(dir, "scrape.yaml"), fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: [%q, %q]}]
  - job_name: web
    metrics_path: /probe
    static_configs: [{targets: ["https://shop.example/"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: instance}
      - {target_label: __address__, replacement: %q}
`, live, dead, live))
			said, errs, status := runOnce(t, "plimsoll-collector", "token", "create", "--for", peer.kind, "--labels", "customer=acme,site=sh", "--dir", dir, "--collector", s.base)
			if status != 0 {
				t.Fatalf("token create: %s", errs)
			}
			block := pasted(t, dir, said)
			process := startPeer(t, peer.program, peer.args(dir, freeAddr(t), block)...)

			var got map[string]hostOf
			hosts := func() map[string]hostOf {
				var body struct{ Hosts []hostOf }
				s.json("/api/v1/hosts", &body)
				out := map[string]hostOf{}
				for _, h := range body.Hosts {
					out[h.Instance] = h
				}
				return out
			}
			took := waitFor(t, "its targets are hosts, with states and capacity", 40*time.Second, func() bool {
				got = hosts()
				return len(got) == 3 && got[live].State == "up" && len(got[live].Usage) >= 2 && got[dead].State == "down" && got["https://shop.example/"].State == "down"
			})
			for name, h := range got {
				if h.Customer != "acme" || h.Sender != peer.kind {
					t.Errorf("%s: got customer %q, sender %q, want acme and %s", name, h.Customer, h.Sender, peer.kind)
				}
			}
			t.Logf("%s: three targets listed and judged after %v", peer.program, took.Round(time.Millisecond))
			if p := s.query(`up{job="node",instance="`+live+`",customer="acme",site="sh",sender="`+peer.kind+`"}`, time.Time{}); len(p) != 1 {
				t.Errorf("up with the labels of the token: got %v", p)
			}
			var outages struct {
				Outages []struct {
					Component string
					Observers []string
				}
			}
			want, seen := map[string]string{"node/" + dead: peer.kind, "probe/web/https://shop.example/": peer.kind}, map[string]string{}
			waitFor(t, "both outages with their observer in the ledger", 20*time.Second, func() bool {
				s.json("/api/v1/outages", &outages)
				clear(seen)
				for _, o := range outages.Outages {
					seen[o.Component] = strings.Join(o.Observers, ",")
				}
				return fmt.Sprint(seen) == fmt.Sprint(want)
			})
			if page := s.mustGet("/hosts/" + url.PathEscape(dead)); !strings.Contains(page, "node/"+dead) {
				t.Error("the host's page does not tell the target")
			}

			_ = process.Process.Kill()
			_ = process.Wait()
			// What a foreign sender said holds for five minutes.
			silent := waitFor(t, "its targets are unknown, not down", 7*time.Minute, func() bool {
				for _, h := range hosts() {
					if h.State != "unknown" {
						return false
					}
				}
				return true
			})
			t.Logf("%s: its targets are unknown %v after it fell silent", peer.program, silent.Round(time.Millisecond))
			if out, errs, status := runOnce(t, "plimsoll-collector", "sender", "revoke", peer.kind, "--collector", s.base); status != 0 || !strings.Contains(out, "1 tokens revoked") {
				t.Errorf("revoke: %s %s", out, errs)
			}
			if out, _, _ := runOnce(t, "plimsoll-collector", "sender", "list", "--collector", s.base); !regexp.MustCompile(peer.kind + ` +` + peer.kind + ` +acme +site=sh +3 +0`).MatchString(out) {
				t.Errorf("list: %s", out)
			}
		})
	}
}

// pasted does the first step that the command prints, and gives the second.
func pasted(t *testing.T, dir, said string) (block string) {
	t.Helper()
	part := func(file string) {
		m := regexp.MustCompile(`(?s)cat > ` + regexp.QuoteMeta(filepath.Join(dir, file)) + ` <<'END'\n(.*?)END\n`).FindStringSubmatch(said)
		if m == nil {
			t.Fatalf("no %s in:\n%s", file, said)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(m[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	part("ca.pem")
	part("token")
	_, block, ok := strings.Cut(said, "# 2. ")
	_, block, more := strings.Cut(block, "\n")
	if !ok || !more {
		t.Fatalf("no block to paste in:\n%s", said)
	}
	return block
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
}
