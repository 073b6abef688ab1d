package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRepair: a collector whose ledger is damaged starts, says on its page what
// is wrong and how it is mended, lets the agent keep what it measures, and goes
// on by itself once the file has been replaced. Nothing is missing then.
func TestRepair(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, data string) (mend func()){
		"ledger overwritten": func(t *testing.T, data string) func() {
			return overwrite(t, filepath.Join(data, "ledger.db"))
		},
		"ledger gone": func(t *testing.T, data string) func() {
			file := filepath.Join(data, "ledger.db")
			if err := os.Rename(file, file+".away"); err != nil {
				t.Fatal(err)
			}
			return func() { _ = os.Rename(file+".away", file) }
		},
		"authority overwritten": func(t *testing.T, data string) func() {
			keys, err := filepath.Glob(filepath.Join(data, "identity", "*"))
			if err != nil || len(keys) == 0 {
				t.Fatal("no files of the authority", err)
			}
			var mend []func()
			for _, key := range keys {
				mend = append(mend, overwrite(t, key))
			}
			return func() {
				for _, m := range mend {
					m()
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPairIn(t, t.TempDir(), t.TempDir())
			waitFor(t, "the agent's first sample", 20*time.Second, func() bool {
				points, err := p.tryQuery("node_load1", time.Time{})
				return err == nil && len(points) == 1
			})
			p.collector.stop()
			mend := harm(t, p.data)
			away := time.Now()
			p.collector = start(t, "plimsoll-collector", "run", "--data", p.data, "--listen", strings.TrimPrefix(p.base, "http://"), "--listen-agents", p.agentsAddr())
			waitFor(t, "the page of repair", 10*time.Second, func() bool { status, _ := p.get("/"); return status == http.StatusServiceUnavailable })
			for path, want := range map[string]string{
				"/?lang=en":    "Waiting for repair",
				"/?lang=zh-CN": "等待修复",
				"/metrics":     "plimsoll_waiting_for_repair 1",
				"/-/healthy":   "waiting for repair",
			} {
				if _, text := p.get(path); !strings.Contains(text, want) {
					t.Errorf("%s does not say %q:\n%s", path, want, text)
				}
			}
			<-time.After(3 * time.Second) // measured meanwhile
			mend()
			waitFor(t, "the collector ready again, by itself", 20*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
			back := time.Now()
			waitFor(t, "what was measured meanwhile", 30*time.Second, func() bool {
				points, err := p.tryQuery("node_load1", time.Time{})
				if err != nil || len(points) != 1 {
					return false
				}
				span := back.Sub(away).Round(time.Second).String()
				during, err := p.tryQuery("count_over_time(node_load1["+span+"])", back)
				return err == nil && len(during) == 1 && during[0].Value[1] != "0"
			})
		})
	}
}

// overwrite replaces a file's contents by nonsense and returns what puts them back.
func overwrite(t *testing.T, path string) func() {
	t.Helper()
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("nonsense ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Error(err)
		}
	}
}
