package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestRot damages one file of a stopped collector or agent, whichever file
// there is, and starts both. Journal, buffer, series and lock never keep them
// from starting, and at most the damaged records are missing and told. Without
// its ledger or authority a collector refuses, naming the file.
// Without its identity an agent measures on and says so. No value is wrong.
func TestRot(t *testing.T) {
	t.Parallel()
	random := need.Random(t)
	sound := t.TempDir()
	p := startPairIn(t, filepath.Join(sound, "collector"), filepath.Join(sound, "agent"))
	l := newLoader(t, p.site, p.agentsAddr(), "rot", 5)
	begin := time.Now()
	for range 60 {
		if err := l.send(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the agent's first deliveries", 20*time.Second, func() bool {
		points, err := p.tryQuery(`up`, time.Time{})
		return err == nil && len(points) > 0
	})
	p.collector.stop()
	<-time.After(1500 * time.Millisecond) // something waits in the buffer
	p.agent.stop()
	files := filesOf(t, sound)
	t.Logf("%d files: %s", len(files), strings.Join(files, " "))
	outcome := map[string]int{}
	for round := range need.Rounds(t, 25, 400) {
		dir := filepath.Join(t.TempDir(), "rot")
		if err := os.CopyFS(dir, os.DirFS(sound)); err != nil {
			t.Fatal(err)
		}
		chmodLike(t, sound, dir, files)
		name := files[random.IntN(len(files))]
		what := damage(t, filepath.Join(dir, name), random)
		outcome[rotten(t, p, l, dir, name, begin)]++
		if t.Failed() {
			t.Fatalf("round %d: %s of %s", round, what, name)
		}
		_ = os.RemoveAll(dir)
	}
	t.Logf("outcomes: %v", outcome)
}

// filesOf lists the regular files under dir but for the agent's settings,
// which are a person's.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "agent.yaml" {
			files = append(files, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil || len(files) < 15 {
		t.Fatalf("only %d files: %v", len(files), err)
	}
	return files
}

// chmodLike gives the copies the modes of their originals.
func chmodLike(t *testing.T, from, to string, files []string) {
	t.Helper()
	for _, name := range files {
		info, err := os.Stat(filepath.Join(from, name))
		if err == nil {
			err = os.Chmod(filepath.Join(to, name), info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// damage changes a file and says how.
func damage(t *testing.T, path string, random *rand.Rand) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	what := "growth by garbage"
	if len(b) == 0 {
		b = append(b, "garbage"...)
	} else {
		at := random.IntN(len(b))
		end := at + 1 + random.IntN(len(b)-at)
		switch random.IntN(4) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
			what = fmt.Sprintf("flip at %d", at)
		case 1:
			b, what = b[:at], fmt.Sprintf("truncation to %d", at)
		case 2:
			clear(b[at:end])
			what = fmt.Sprintf("zeros from %d to %d", at, end)
		case 3:
			half := len(b) / 2
			b = append(append([]byte(nil), b[half:]...), b[:half]...)
			what = "halves exchanged"
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}

// mayWait are the files of a collector that nothing but a person can mend: what
// people signed or trust.
var mayWait = []string{"collector/ledger.db", "collector/identity/"}

// rotten starts both programs on the damaged copy and compares.
func rotten(t *testing.T, p *pair, l *loader, dir, name string, begin time.Time) (outcome string) {
	t.Helper()
	s := site{t, p.base}
	collector := start(t, "plimsoll-collector", "run", "--data", filepath.Join(dir, "collector"), "--listen", strings.TrimPrefix(p.base, "http://"), "--listen-agents", p.agentsAddr())
	config := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(config, []byte("interval: 100ms\nlisten: off\ndata: "+filepath.Join(dir, "agent")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	agent := start(t, "plimsoll-agent", "run", "--config", config)
	defer func() { agent.kill(); collector.kill() }()
	ended := func(q *process) bool {
		select {
		case <-q.done:
			return true
		default:
			return false
		}
	}
	waits := false
	waitFor(t, "the collector ready, its refusal, or that it waits for repair", 20*time.Second, func() bool {
		status, _ := s.get("/-/ready")
		_, text := s.get("/metrics")
		waits = strings.Contains(text, "plimsoll_waiting_for_repair 1")
		return status == http.StatusOK || waits || ended(collector)
	})
	waitFor(t, "the agent's first line", 10*time.Second, func() bool { return strings.Contains(agent.log.String(), "agent started") || ended(agent) })
	if ended(agent) {
		t.Errorf("the agent did not start:\n%s", tail(agent.log.String(), 5))
	}
	if ended(collector) {
		t.Errorf("the collector did not start:\n%s", tail(collector.log.String(), 5))
		return "refused"
	}
	if waits {
		said := collector.log.String()
		for _, file := range mayWait {
			if strings.HasPrefix(name, file) {
				if base := filepath.Base(strings.TrimSuffix(strings.TrimSuffix(name, "-wal"), "-shm")); !strings.Contains(said, base) {
					t.Errorf("what it says does not name %s:\n%s", base, tail(said, 5))
				}
				return "waits for repair of " + file
			}
		}
		t.Errorf("the collector waits for repair of another file than %s:\n%s", name, tail(said, 5))
		return "waits"
	}
	missing := compareValues(t, s, l, begin)
	if missing == 0 {
		return "nothing missing"
	}
	if !strings.HasPrefix(name, "collector/journal/") {
		t.Errorf("%d samples missing", missing)
	}
	if !strings.Contains(collector.log.String(), "damaged") {
		t.Errorf("%d samples missing, and nobody told:\n%s", missing, tail(collector.log.String(), 8))
	}
	return "records of the journal missing, and told"
}

// compareValues counts the acknowledged samples that are not there; one with
// another value fails the test.
func compareValues(t *testing.T, s site, l *loader, begin time.Time) (missing int) {
	t.Helper()
	span := int(time.Since(begin).Seconds()) + 60
	points, err := s.tryQuery(fmt.Sprintf(`load_value{instance=%q}[%ds]`, l.id.Instance, span), time.Now())
	if err != nil {
		t.Fatalf("query: %v", err)
	}
	found := 0
	for _, series := range points {
		for _, v := range series.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				t.Fatal(err)
			}
			if want, ok := l.acked[int64(v[0].(float64)*1000+0.5)]; !ok || want != value {
				t.Errorf("%v = %v was never sent", v[0], value)
			}
			found++
		}
	}
	return len(l.acked)*l.series - found
}
