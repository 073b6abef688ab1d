package receive

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// ask is GET of the checks with a tag known before.
func (c *client) ask(tag string) answer {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "https://"+c.addr+wire.ChecksPath+"?host=web-2&instance=web-2", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("If-None-Match", tag)
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// TestChecksOfTheHostThatAsks: the certificate alone says whose checks they are.
func TestChecksOfTheHostThatAsks(t *testing.T) {
	var port string
	r := newRig(t, func(o *Options, _ *journal.Options) {
		o.Assigned = func(instance string) wire.Checks {
			if instance == "web-3" {
				return wire.Checks{Checks: make([]wire.AssignedCheck, wire.MaxChecks)}
			}
			return wire.Checks{Checks: []wire.AssignedCheck{{Component: "of-" + instance, TCP: "shop.example:" + port}}}
		}
	})
	one, two := r.enrol("web-1"), r.enrol("web-2")
	port = "80"
	first := one.ask("")
	if want := `{"checks":[{"component":"of-web-1","tcp":"shop.example:80"}]}`; first.status != http.StatusOK || first.text != want {
		t.Errorf("got %d %s, want %s", first.status, first.text, want)
	}
	tag := first.header.Get("ETag")
	if again := one.ask(tag); again.status != http.StatusNotModified || again.text != "" || again.header.Get("ETag") != tag {
		t.Errorf("asked again: got %+v, want 304 with the tag %s", again, tag)
	}
	if other := two.ask(tag); other.status != http.StatusOK || !strings.Contains(other.text, "of-web-2") {
		t.Errorf("another host with the first one's tag: got %+v", other)
	}
	port = "81"
	if changed := one.ask(tag); changed.status != http.StatusOK || !strings.Contains(changed.text, ":81") || changed.header.Get("ETag") == tag {
		t.Errorf("after a change: got %+v", changed)
	}
	if tooMany := r.enrol("web-3").ask(""); tooMany.status != http.StatusInternalServerError || !strings.Contains(tooMany.text, "let several hosts share them") {
		t.Errorf("more than fit: got %d %.80s", tooMany.status, tooMany.text)
	}
	r.agents.mu.Lock()
	delete(r.agents.hosts, two.id.Host)
	r.agents.mu.Unlock()
	r.forward(r.recv.opts.HostTTL)
	if removed := two.ask(""); removed.status != http.StatusForbidden {
		t.Errorf("a removed host: got %+v, want 403", removed)
	}
}

// TestNoChecks: a collector that assigns nothing answers so.
func TestNoChecks(t *testing.T) {
	r := newRig(t, nil)
	if got := r.enrol("web-1").ask(""); got.status != http.StatusOK || got.text != `{"checks":[]}` {
		t.Errorf("got %+v", got)
	}
}
