package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// TestReadAssigned: each check is taken or refused by itself, and nothing of
// this host is ever read or run because a collector says so.
func TestReadAssigned(t *testing.T) {
	c := Defaults()
	c.Checks = []CheckConfig{{Component: "own", TCP: "a:1"}}
	rows := []struct{ name, json, refused string }{
		{"http", `{"component":"a","http":"https://shop.example/","interval":"15s","expect":{"status":[200],"contains":"a \u003c b"}}`, ""},
		{"tcp", `{"component":"a","tcp":"shop.example:80"}`, ""},
		{"tls", `{"component":"a","tls":"shop.example:443","server_name":"b","expect":{"warning":"21d","critical":"3d"}}`, ""},
		{"dns", `{"component":"a","dns":"shop.example","type":"MX","server":"192.0.2.53","expect":{"answers":["10 mx.example"]}}`, ""},
		{"icmp", `{"component":"a","icmp":"shop.example","timeout":"1s","slow":"500ms"}`, ""},
		{"script", `{"component":"a","script":["/bin/sh","-c","id"]}`, "script: is never taken from the collector"},
		{"script beside another", `{"component":"a","tcp":"a:80","script":["/bin/id"]}`, "script: is never taken from the collector"},
		{"empty script", `{"component":"a","tcp":"a:80","script":[]}`, "script: is never taken from the collector"},
		{"process", `{"component":"a","process":"sshd"}`, "process: is never taken from the collector"},
		{"unit", `{"component":"a","unit":"sshd"}`, "unit: is never taken from the collector"},
		{"file", `{"component":"a","file":"/etc/shadow"}`, "file: is never taken from the collector"},
		{"file of authorities", `{"component":"a","tls":"a:443","ca":"/etc/shadow"}`, "ca: is never taken from the collector"},
		{"of a newer collector", `{"component":"a","tcp":"a:80","jitter":"1s"}`, "jitter: unknown key"},
		{"a kind of a newer collector", `{"component":"a","snmp":"a"}`, "snmp: unknown key"},
		{"no component", `{"tcp":"a:80"}`, "component is missing"},
		{"tested by the own file", `{"component":"own","tcp":"a:80"}`, "the component is tested by the agent's own file already"},
		{"too often", `{"component":"a","tcp":"a:80","interval":"100ms","timeout":"50ms"}`, "interval: 100ms is shorter than 1s"},
		{"a file's URL", `{"component":"a","http":"file:///etc/passwd"}`, `http: "file:///etc/passwd" is not a URL that begins with http:// or https:// and names a host`},
		{"wrong type", `{"component":"a","tcp":80}`, `tcp: "80" is not host:port`},
		{"not a mapping", `"tcp"`, `expected a mapping, found "tcp"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			body := `{"checks":[` + row.json + `,{"component":"last","tcp":"a:80"}]}`
			taken, refused, err := c.readAssigned([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if len(taken) == 0 || taken[len(taken)-1].Component != "last" {
				t.Errorf("a check beside it was not taken: %v, refused %v", taken, refused)
			}
			for _, made := range taken {
				if made.Guard == nil {
					t.Errorf("%s may go anywhere", made.Component)
				}
			}
			got := ""
			if len(refused) > 0 {
				got = refused[0].reason
			}
			if !strings.HasPrefix(got, row.refused) || (row.refused == "") != (got == "") {
				t.Errorf("refused %q, want %q", got, row.refused)
			}
		})
	}
}

func TestReadAssignedRefusesWhatIsNoList(t *testing.T) {
	c := Defaults()
	for _, body := range []string{"", "{", "[]", `"checks"`, `{"checks":{}}`, `{"other":[]}`, "checks: [{component: a, tcp: 'a:80'}]", `{"checks":[` + strings.Repeat(" ", wire.MaxChecks) + `]}`} {
		if taken, refused, err := c.readAssigned([]byte(body)); err == nil {
			t.Errorf("%.40q: taken %v, refused %v, want an error", body, taken, refused)
		}
	}
	if taken, refused, err := c.readAssigned([]byte(`{"checks":[]}`)); err != nil || len(taken)+len(refused) != 0 {
		t.Errorf("an empty list: %v %v %v", taken, refused, err)
	}
}

// TestAssignedIsBounded: own checks first, then those of the collector.
func TestAssignedIsBounded(t *testing.T) {
	c := Defaults()
	c.Checks = []CheckConfig{{Component: "own", TCP: "a:1"}}
	var list wire.Checks
	for i := range maxChecks + 10 {
		list.Checks = append(list.Checks, wire.AssignedCheck{Component: fmt.Sprint("c", i), TCP: "a:80"})
	}
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	taken, refused, err := c.readAssigned(body)
	if err != nil || len(taken) != maxChecks-1 || len(refused) != 11 || refused[0].reason != "this host makes 200 checks already" {
		t.Errorf("taken %d, refused %d, %v", len(taken), len(refused), err)
	}
}

// asked is a collector by the answers it gives, one after the other.
type asked struct {
	answers []ship.Answer
	errs    []error

	mu   sync.Mutex
	tags []string // that came along
}

func (a *asked) sofar() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.tags)
}

func (a *asked) get(_ context.Context, path, tag string, limit int64) (ship.Answer, error) {
	if path != wire.ChecksPath || limit != wire.MaxChecks {
		return ship.Answer{}, fmt.Errorf("asked for %s", path)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(len(a.tags), len(a.answers)-1)
	a.tags = append(a.tags, tag)
	return a.answers[n], a.errs[n]
}

// TestAssignedPull: what is new is taken up and kept on disk, what is refused
// is told once, and what the collector cannot say changes nothing.
func TestAssignedPull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Defaults()
		c.Data = t.TempDir()
		var log testLog
		logger := slog.New(slog.NewTextHandler(&log, nil))
		var notes []string
		own := &check.Check{Spec: check.Spec{Component: "own"}}
		collector := &asked{}
		say := func(status int, tag, body string, err error) {
			collector.answers = append(collector.answers, ship.Answer{Status: status, ETag: tag, Body: []byte(body)})
			collector.errs = append(collector.errs, err)
		}
		say(0, "", "", ship.ErrNotDelivering)
		say(200, `"1"`, `{"checks":[{"component":"a","tcp":"a:80"},{"component":"b","script":["/bin/id"]}]}`, nil)
		say(304, `"1"`, "", nil)
		say(500, "", "", nil)
		say(404, "", "", nil)
		say(200, `"2"`, `not json`, nil)
		say(200, `"3"`, `{"checks":[{"component":"c","tcp":"a:80"}]}`, nil)
		say(304, `"3"`, "", nil)
		make1 := func() *assigned {
			return &assigned{cfg: &c, own: []*check.Check{own}, schedule: check.NewSchedule([]*check.Check{own}, nil), get: collector.get,
				note: func(n wire.Note) error {
					notes = append(notes, n.Change.Component+": "+n.Change.From+" "+n.Change.To+" "+n.Change.Reason)
					return nil
				},
				log: logger, now: time.Now, asking: fault.New(logger, time.Now, "the collector's checks are taken up again")}
		}
		a := make1()
		a.load() // nothing kept yet
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { a.run(ctx); close(ended) }()
		type moment struct {
			after          time.Duration
			taken, refused int
			tags           string // that came along so far
		}
		for _, m := range []moment{
			{3 * time.Second, 0, 0, ``},                       // not delivering: asked again soon
			{3 * time.Second, 1, 1, ` `},                      // taken up
			{76 * time.Second, 1, 1, `  "1"`},                 // the same
			{150 * time.Second, 1, 1, `  "1" "1" "1"`},        // 500 and 404
			{76 * time.Second, 1, 1, `  "1" "1" "1" "1"`},     // no list
			{76 * time.Second, 1, 0, `  "1" "1" "1" "1" "1"`}, // another list
		} {
			time.Sleep(m.after)
			synctest.Wait()
			taken, refused := a.figures()
			tags := collector.sofar()
			if taken != m.taken || refused != m.refused || a.schedule.Len() != 1+m.taken || !strings.HasPrefix(strings.Join(tags, " "), m.tags) {
				t.Errorf("after %d questions %q: taken %d, refused %d, %d made; want %+v", len(tags), tags, taken, refused, a.schedule.Len(), m)
			}
		}
		cancel()
		<-ended
		if got, want := strings.Join(notes, "\n"), "b: unknown unknown not taken up by this host: script: is never taken from the collector"; got != want {
			t.Errorf("noted %s, want %s", got, want)
		}
		if n := strings.Count(log.String(), "cannot be taken up"); n < 1 || n > 2 {
			t.Errorf("%d lines of what went wrong:\n%s", n, log.String())
		}

		// The next run begins with what is kept, before it asks.
		again := make1()
		again.load()
		if taken, _ := again.figures(); taken != 1 || again.etag != `"3"` || again.schedule.Len() != 2 {
			t.Errorf("after a restart: taken %d, tag %s", taken, again.etag)
		}
		// A damaged file is asked for again.
		if err := os.WriteFile(filepath.Join(c.Data, assignedFile), []byte(`{"etag":"\"3\"","body":{"chec`), 0o600); err != nil {
			t.Fatal(err)
		}
		damaged := make1()
		damaged.load()
		if taken, _ := damaged.figures(); taken != 0 || damaged.etag != "" {
			t.Errorf("damaged: taken %d, tag %s", taken, damaged.etag)
		}
	})
}

// TestKeepChecksFails: a disk that takes nothing costs the copy, not the checks.
func TestKeepChecksFails(t *testing.T) {
	c := Defaults()
	c.Data = filepath.Join(t.TempDir(), "none")
	collector := &asked{answers: []ship.Answer{{Status: http.StatusOK, ETag: `"1"`, Body: []byte(`{"checks":[{"component":"a","tcp":"a:80"}]}`)}}, errs: []error{nil}}
	a := &assigned{cfg: &c, schedule: check.NewSchedule(nil, nil), get: collector.get, log: slog.New(slog.DiscardHandler), now: time.Now}
	if err := a.ask(context.Background()); !errors.Is(err, os.ErrNotExist) || a.schedule.Len() != 1 {
		t.Errorf("got %v and %d checks, want the error of the file and the check", err, a.schedule.Len())
	}
}

// FuzzReadAssigned: whatever a collector says, nothing but a guarded test over
// the network comes of it.
func FuzzReadAssigned(f *testing.F) {
	f.Add([]byte(`{"checks":[{"component":"a","http":"https://shop.example/","interval":"15s","expect":{"status":200}}]}`))
	f.Add([]byte(`{"checks":[{"component":"a","script":["/bin/sh"]},{"component":"b","tls":"a:443","ca":"/etc/shadow"}]}`))
	f.Add([]byte(`{"checks":[{"component":"a","dns":"a","type":"MX","server":"::1"},{"component":"a","icmp":"::1"},1,null,[]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := Defaults()
		taken, refused, err := c.readAssigned(body)
		if err != nil && len(taken)+len(refused) > 0 {
			t.Errorf("an error and checks: %v", err)
		}
		seen := map[string]bool{}
		for _, made := range taken {
			switch made.Kind() {
			case "http", "tcp", "tls", "dns", "icmp":
			default:
				t.Errorf("taken: a check of kind %q", made.Kind())
			}
			if made.Guard == nil || made.Certificate.CA != "" || len(made.Script) > 0 || made.Interval < minAssignedInterval || made.Timeout > made.Interval || seen[made.Component] {
				t.Errorf("taken: %+v", made.Spec)
			}
			seen[made.Component] = true
		}
	})
}
