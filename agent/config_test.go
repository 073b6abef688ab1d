package agent

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/internal/settings"
)

func TestEmptyFileIsTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "{}\n"} {
		c, faults := Parse("agent.yaml", []byte(text))
		if len(faults) > 0 || !reflect.DeepEqual(c, Defaults()) {
			t.Errorf("%q: %v, %+v", text, faults, c)
		}
	}
	if c, err := Load("testdata/there-is-no-such-file.yaml", false); err != nil || !reflect.DeepEqual(c, Defaults()) {
		t.Errorf("a file that need not exist: %v", err)
	}
	if _, err := Load("testdata/there-is-no-such-file.yaml", true); err == nil || !strings.Contains(err.Error(), "read configuration") {
		t.Errorf("a file that was named must exist, got %v", err)
	}
}

// TestShippedExample: the example says of each value that it is the default.
func TestShippedExample(t *testing.T) {
	text, err := os.ReadFile("../configs/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, faults := Parse("configs/agent.yaml", text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(c.Checks) == 0 {
		t.Error("no example of a check")
	}
	for name, s := range c.Sources {
		if s.Enabled != nil && !*s.Enabled || s.Interval != 0 && s.Interval != c.Interval {
			t.Errorf("source %s is not at its default: %+v", name, s)
		}
	}
	c.Checks, c.Sources, c.RemoteWrite.Labels = nil, nil, nil // what is empty is as what is not there
	if len(c.Collector.Addresses) == 0 {
		c.Collector.Addresses = nil
	}
	if len(c.Assigned.Allow) == 0 {
		c.Assigned.Allow = nil
	}
	if want := Defaults(); !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want the defaults %+v", c, want)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	text := `data: var/lib
intervall: 15s
interval: 2h
listen: 0.0.0.0:1878
collector: {addresses: [collector, "c:1877", "c:0"], proxy: "ftp://p"}
buffer: {max_bytes: 10KiB, max_age: 10s}
roots: {proc: proc}
sources:
  cpuu: {enabled: false}
  load: {interval: 5ms}
  pressure: {}
  zebra: {}
scrape: []
checks:
  - {http: "http://a/"}
  - {component: a, tcp: "a:80", interval: 10s, timeout: 11s}
  - {component: a, tcp: "a:81", interval: 10s}
  - {component: b, tcp: "a:80", http: "http://a/"}
  - {component: c, tcp: "a"}
  - {component: d, http: "a/"}
  - {component: e}
  - {component: f, tcp: "a:80", expect: {status: 200}}
  - {component: g, http: "http://a/", expect: {status: [200, 99]}, slow: 10s, interval: 15s}
  - {component: h, heartbeat: a b, expect: {every: 1d}, interval: 15s}
  - {component: i, http: "http://a/", timout: 5s, interval: 15s}
  - {component: j, dns: a.example, server: "ns:0", interval: 15s}
  - {component: k, dns: a.example, type: ANY, expect: {status: 200}, interval: 15s}
  - {component: l, tls: "a:443", ca: ca.pem, expect: {warning: 1d, critical: 2d, max: 1}, interval: 15s}
  - {component: m, process: shop, expect: {min: 3, max: 2, max_age: 1d}, interval: 15s}
  - {component: n, process: shop, expect: {min: -1, max: none}, interval: 15s}
  - {component: o, file: backup, expect: {min_size: 1GB}, interval: 15s}
  - {component: p, script: "/bin/true", interval: 15s}
  - {component: q, script: [true-ish], ca: /etc/ca.pem, interval: 15s}
  - {component: r, unit: shop, icmp: a, interval: 15s}
  - {component: s, icmp: "a:80", interval: 15s}
  - {component: t, tcp: "a:80", from: [web-1], interval: 15s}
assigned: {enabled: perhaps, allow: [10.0.0.0/8, 10.0.0.1, office]}
`
	want := `agent.yaml:1: data: "var/lib" is not an absolute path; begin it with /
agent.yaml:2: intervall: unknown key; did you mean "interval"?
agent.yaml:3: interval: 2h is not between 10ms and 1h; 15s is the default
agent.yaml:4: listen: 0.0.0.0:1878 is not on loopback, and this page asks for no password; use 127.0.0.1; the collector has the same figures
agent.yaml:5: collector.addresses[0]: "collector" is not host:port; write it like collector.example:1877
agent.yaml:5: collector.addresses[2]: "c:0" is not host:port; write it like collector.example:1877
agent.yaml:5: collector.proxy: this is not the URL of an HTTP proxy; write it like http://proxy.example:3128
agent.yaml:6: buffer.max_bytes: below 1MiB, which holds less than an hour; give it more, 512MiB is the default
agent.yaml:6: buffer.max_age: below one minute: no outage of the collector is that short; 7d is the default
agent.yaml:7: roots.proc: "proc" is not an absolute path; begin it with /
agent.yaml:9: sources.cpuu: no such source; did you mean "cpu"?
agent.yaml:10: sources.load.interval: 5ms is shorter than the interval of collections, 2h; make it longer, or shorten the other
agent.yaml:12: sources.zebra: no such source; known: cpu, memory, swap, load, filesystem, disk, network, connections, descriptors, processes, pressure, temperature, systemd, top, uptime, uname
agent.yaml:13: scrape: not yet: reading an exporter's page comes in a later version; remove the key
agent.yaml:15: checks[0]: component is missing; name what is tested, as the catalogue does
agent.yaml:16: checks[1].timeout: 11s is longer than the interval, 10s; shorten it: a check never overlaps itself
agent.yaml:17: checks[2]: component a is tested by checks[1] already; name another component, and let the service need all_of both
agent.yaml:18: checks[3]: http and tcp are given; make a check of each
agent.yaml:19: checks[4].tcp: "a" is not host:port
agent.yaml:20: checks[5].http: "a/" is not a URL that begins with http:// or https:// and names a host
agent.yaml:21: checks[6]: nothing to test: name one of [http tcp tls dns icmp process unit file script plugin heartbeat]
agent.yaml:22: checks[7].expect.status: says nothing to a check of kind tcp, only to http; remove it
agent.yaml:23: checks[8].slow: 10s is not below the timeout, 5s: nothing would be degraded; shorten it
agent.yaml:23: checks[8].expect.status[1]: 99 is not an HTTP status code; they lie between 100 and 599
agent.yaml:24: checks[9].heartbeat: "a b" is not the name of a heartbeat: it has letters, digits, dots, dashes and underscores, at most 100
agent.yaml:25: checks[10].timout: unknown key; did you mean "timeout"?
agent.yaml:26: checks[11].server: "0" is not a port between 1 and 65535
agent.yaml:27: checks[12].type: "ANY" is not a type of record: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT
agent.yaml:27: checks[12].expect.status: says nothing to a check of kind dns, only to http; remove it
agent.yaml:28: checks[13].expect.max: says nothing to a check of kind tls, only to process; remove it
agent.yaml:28: checks[13].expect.warning: 1d is shorter than critical, 2d: nothing would be degraded; make it longer
agent.yaml:28: checks[13].ca: "ca.pem" is not an absolute path; begin it with /
agent.yaml:29: checks[14].expect.max_age: says nothing to a check of kind process, only to file; remove it
agent.yaml:29: checks[14].expect.max: 2 is below 3; leave it out where any number may run
agent.yaml:30: checks[15].expect.max: expected a whole number, found "none"
agent.yaml:30: checks[15].expect.min: -1 is below 0
agent.yaml:31: checks[16].expect.min_size: "1GB" is not a size; write it like 64MiB, 16KiB or 1000
agent.yaml:31: checks[16].file: "backup" is not an absolute path
agent.yaml:32: checks[17].script: expected a list, found "/bin/true"
agent.yaml:33: checks[18].script: "true-ish" is not an absolute path: a program is never looked for in a PATH
agent.yaml:33: checks[18].ca: says nothing to a check of kind script, only to http and tls; remove it
agent.yaml:34: checks[19]: icmp and unit are given; make a check of each
agent.yaml:35: checks[20].icmp: "a:80" is not a host; ping knows no port
agent.yaml:36: checks[21].from: not yet: checks for several hosts are assigned in the collector's catalogue; remove the key
agent.yaml:37: assigned.enabled: expected true or false, found "perhaps"
agent.yaml:37: assigned.allow[1]: "10.0.0.1" is not a network; write it like 10.0.0.0/8, one address as 10.1.2.3/32
agent.yaml:37: assigned.allow[2]: "office" is not a network; write it like 10.0.0.0/8, one address as 10.1.2.3/32`
	_, faults := Parse("agent.yaml", []byte(text))
	if got := faults.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSpecDefaults(t *testing.T) {
	no := false
	c := Defaults()
	rows := []struct {
		in   CheckConfig
		want check.Spec
	}{
		{CheckConfig{Component: "a", HTTP: "http://a"}, check.Spec{Component: "a", Name: "http", HTTP: "http://a", Interval: 15 * time.Second, Timeout: 5 * time.Second}},
		{CheckConfig{Component: "a", TCP: "a:1", Interval: settings.Duration(2 * time.Second)}, check.Spec{Component: "a", Name: "tcp", TCP: "a:1", Interval: 2 * time.Second, Timeout: 2 * time.Second}},
		{CheckConfig{Component: "a", Check: "login", HTTP: "http://a", Expect: ExpectConfig{Status: settings.Several[int]{302}, Redirects: &no}},
			check.Spec{Component: "a", Name: "login", HTTP: "http://a", Interval: 15 * time.Second, Timeout: 5 * time.Second, Status: []int{302}, NoFollow: true}},
	}
	for _, row := range rows {
		if got := c.spec(row.in); !reflect.DeepEqual(got, row.want) {
			t.Errorf("got %+v, want %+v", got, row.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("checks: [{component: a, http: 'http://a', expect: {status: 200}}]")
	f.Add("sources: {cpu: {enabled: false}}\nbuffer: {max_bytes: 1MiB}")
	f.Fuzz(func(t *testing.T, text string) {
		c, faults := Parse("f", []byte(text))
		if len(faults) > 0 {
			return
		}
		for _, k := range c.Checks {
			if _, err := check.New(c.spec(k)); err != nil {
				t.Errorf("accepted a check that cannot be made: %v", err)
			}
		}
	})
}
