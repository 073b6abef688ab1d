package catalogue

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Check is one availability test with the hosts that make it.
type Check struct {
	From []string // instances
	wire.AssignedCheck
}

// Bounds of assigned checks; agents refuse what lies beyond.
const (
	minCheckInterval = time.Second
	maxCheckInterval = time.Hour
	maxChecksOfHost  = 200
	defaultTimeout   = 5 * time.Second
)

// checkEntry is a check as it is written. Keys and defaults are those of the
// agent's own file; what reads or runs something of the host is not among them.
type checkEntry struct {
	Component  string            `yaml:"component" doc:"The component it tests; with for, the name of all of them together."`
	For        string            `yaml:"for" doc:"Group whose hosts are each tested; {{host}} is the host's name."`
	From       []string          `yaml:"from" doc:"Hosts that make the test, by name; {{host}} for the host itself."`
	Check      string            `yaml:"check" doc:"Name of the check; of several at one component."`
	HTTP       string            `yaml:"http" doc:"URL to get."`
	TCP        string            `yaml:"tcp" doc:"host:port to connect to."`
	TLS        string            `yaml:"tls" doc:"host:port whose certificate is looked at."`
	DNS        string            `yaml:"dns" doc:"Name to resolve."`
	ICMP       string            `yaml:"icmp" doc:"Host to ping."`
	Interval   settings.Duration `yaml:"interval" doc:"How often, 1s to 1h; the component's where it is not given."`
	Timeout    settings.Duration `yaml:"timeout" doc:"How long an answer may take, 5s where it is not given."`
	Slow       settings.Duration `yaml:"slow" doc:"From when on an answer is slow: degraded."`
	ServerName string            `yaml:"server_name" doc:"Name asked for in TLS."`
	Type       string            `yaml:"type" enum:"A,AAAA,CNAME,MX,NS,PTR,SOA,SRV,TXT" doc:"Type of DNS record."`
	Server     string            `yaml:"server" doc:"DNS server to ask."`
	Expect     checkExpect       `yaml:"expect" doc:"What the answer must be."`

	Script    ownFile `yaml:"script"`
	Plugin    ownFile `yaml:"plugin"`
	Heartbeat ownFile `yaml:"heartbeat"`
	Process   ownFile `yaml:"process"`
	Unit      ownFile `yaml:"unit"`
	File      ownFile `yaml:"file"`
	CA        ownFile `yaml:"ca"`
}

// ownFile is a key that is read from the agent's own file alone.
type ownFile struct{}

// ReadYAML refuses whatever is written.
func (*ownFile) ReadYAML(c settings.Cursor) {
	c.Fault("is never assigned to a host", "put the check into the agent's own file")
}

type checkExpect struct {
	Status    settings.Several[int] `yaml:"status" doc:"HTTP status, or several."`
	Contains  string                `yaml:"contains" doc:"Text that the body must contain."`
	Redirects *bool                 `yaml:"redirects" doc:"Whether redirects are followed."`
	Warning   *settings.Duration    `yaml:"warning" doc:"How long before the end of a certificate it is degraded."`
	Critical  settings.Duration     `yaml:"critical" doc:"How long before the end of a certificate it is down."`
	Answers   []string              `yaml:"answers" doc:"Addresses or texts that must be answered."`
}

// targets are the kinds of check that may be assigned, with their targets.
func (e *checkEntry) targets() map[string]string {
	all := map[string]string{}
	for kind, target := range map[string]string{"http": e.HTTP, "tcp": e.TCP, "tls": e.TLS, "dns": e.DNS, "icmp": e.ICMP} {
		if target != "" {
			all[kind] = target
		}
	}
	return all
}

// checks builds the checks and reports what is wrong with them.
func (c *checker) checks(f catalogueFile) []Check {
	intervals := map[string]settings.Duration{}
	for _, e := range f.Components {
		if e.Interval != nil {
			intervals[e.Name] = *e.Interval
		}
		if n := len(e.Paces); n > 0 && e.Paces[n-1].Interval != nil {
			intervals[e.Name] = *e.Paces[n-1].Interval
		}
	}
	seen, count := map[[2]string]string{}, map[string]int{}
	var out []Check
	for i, e := range f.Checks {
		path := at("checks", i)
		if e.For != "" {
			c.known(path+".for", "group", e.For, sortedKeys(f.Groups))
			e = e.forGroup()
		} else if strings.Contains(strings.Join([]string{e.HTTP, e.TCP, e.TLS, e.DNS, e.ICMP, e.ServerName, strings.Join(e.From, "")}, ""), hostMark) {
			c.fault(path, hostMark+" stands for the hosts of a group, and none is named", "name it with for")
			continue
		}
		if c.required(path, "component", e.Component != "") && e.For == "" {
			c.known(path+".component", "component", e.Component, c.components)
		}
		c.required(path, "from", len(e.From) > 0)
		for j, instance := range e.From {
			where := at(path+".from", j)
			pair := [2]string{instance, e.Component}
			if first, twice := seen[pair]; twice {
				c.fault(where, fmt.Sprintf("%s tests %s already by %s on %s", instance, e.Component, first, c.doc.Place(first)),
					"a host tests a component once; name another component, and let the service need all_of both")
			} else {
				seen[pair] = path
			}
			if instance == "" {
				c.fault(where, "is empty", "name a host as it is listed")
			}
			if count[instance]++; count[instance] == maxChecksOfHost+1 {
				c.fault(where, fmt.Sprintf("%s makes more than %d checks", instance, maxChecksOfHost), "let several hosts share them")
			}
		}
		c.checkTarget(path, &e)
		c.checkTimes(path, &e, intervals[e.Component])
		c.checkExpect(path, &e)
		if e.For != "" {
			continue // made when the group's hosts are known
		}
		out = append(out, Check{From: e.From, AssignedCheck: e.wire(intervals[e.Component])})
	}
	return out
}

// groupChecks are the checks that each host of a group has.
func groupChecks(entries []checkEntry) (out []groupCheck) {
	for _, e := range entries {
		if e.For != "" {
			out = append(out, groupCheck{e.For, e})
		}
	}
	return out
}

func (c *checker) checkTarget(path string, e *checkEntry) {
	targets := e.targets()
	kinds := sortedKeys(targets)
	switch {
	case len(kinds) > 1:
		c.fault(path, strings.Join(kinds, " and ")+" are given", "make a check of each")
		return
	case len(kinds) == 0:
		for _, key := range []string{"script", "plugin", "heartbeat", "process", "unit", "file"} {
			if c.doc.Has(path + "." + key) {
				return // refused already
			}
		}
		c.fault(path, "nothing to test", "name one of http, tcp, tls, dns and icmp")
		return
	}
	kind := kinds[0]
	if why := badTarget(kind, targets[kind]); why != "" {
		c.fault(path+"."+kind, why, "")
	}
	if kind == "dns" && e.Server != "" && badServer(e.Server) {
		c.fault(path+".server", fmt.Sprintf("%q is not a host or host:port", e.Server), "")
	}
	types := []string{"", "A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"}
	if kind == "dns" && !slices.Contains(types, e.Type) {
		c.fault(path+".type", fmt.Sprintf("%q is not a type of record", e.Type), "it is"+strings.Join(types, " "))
	}
	for _, o := range [...]struct {
		key   string
		kinds []string
	}{
		{"server_name", []string{"http", "tls"}}, {"type", []string{"dns"}}, {"server", []string{"dns"}}, {"expect.answers", []string{"dns"}},
		{"expect.status", []string{"http"}}, {"expect.contains", []string{"http"}}, {"expect.redirects", []string{"http"}},
		{"expect.warning", []string{"tls"}}, {"expect.critical", []string{"tls"}},
	} {
		if c.doc.Has(path+"."+o.key) && !slices.Contains(o.kinds, kind) {
			c.fault(path+"."+o.key, fmt.Sprintf("says nothing to a check of kind %s, only to %s", kind, strings.Join(o.kinds, " and ")), "remove it")
		}
	}
}

// badTarget says what is wrong with a target; empty: nothing.
func badTarget(kind, target string) string {
	switch kind {
	case "http":
		if u, err := url.Parse(target); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return fmt.Sprintf("%q is not a URL that begins with http:// or https:// and names a host", target)
		}
	case "tcp", "tls":
		if badHostPort(target) {
			return fmt.Sprintf("%q is not host:port", target)
		}
	case "dns":
		for label := range strings.SplitSeq(strings.TrimSuffix(target, "."), ".") {
			if label == "" || len(label) > 63 || len(target) > 253 {
				return fmt.Sprintf("%q is not a name that can be asked for", target)
			}
		}
	case "icmp":
		if strings.ContainsAny(target, "/ ") || strings.Contains(target, ":") && net.ParseIP(target) == nil {
			return fmt.Sprintf("%q is not a host", target)
		}
	}
	return ""
}

func badHostPort(target string) bool {
	host, port, err := net.SplitHostPort(target)
	n, perr := strconv.ParseUint(port, 10, 16)
	return err != nil || perr != nil || host == "" || n == 0
}

// badServer: a name server may go without its port.
func badServer(server string) bool {
	return net.ParseIP(server) == nil && strings.Contains(server, ":") && badHostPort(server)
}

func (c *checker) checkTimes(path string, e *checkEntry, component settings.Duration) {
	interval, timeout := e.Interval.Std(), e.Timeout.Std()
	effective := interval
	if effective == 0 {
		effective = component.Std()
	}
	if (effective > 0 || c.doc.Has(path+".interval")) && (effective < minCheckInterval || effective > maxCheckInterval) {
		c.fault(path+".interval", fmt.Sprintf("%s is not between %s and %s", settings.Duration(effective), settings.Duration(minCheckInterval), settings.Duration(maxCheckInterval)), "")
	}
	if component > 0 && e.Interval > component {
		c.fault(path+".interval", fmt.Sprintf("%s is longer than the interval of %s, %s", e.Interval, e.Component, component), "its facts would not hold to the next one; make them the same")
	}
	if effective > 0 && timeout > effective {
		c.fault(path+".timeout", fmt.Sprintf("%s is longer than the interval, %s", e.Timeout, settings.Duration(effective)), "shorten it: a check never overlaps itself")
	}
	if timeout == 0 {
		if timeout = defaultTimeout; effective > 0 {
			timeout = min(timeout, effective)
		}
	}
	if e.Slow.Std() >= timeout {
		c.fault(path+".slow", fmt.Sprintf("%s is not below the timeout, %s: nothing would be degraded", e.Slow, settings.Duration(timeout)), "shorten it")
	}
}

func (c *checker) checkExpect(path string, e *checkEntry) {
	for j, status := range e.Expect.Status {
		if status < 100 || status > 599 {
			c.fault(at(path+".expect.status", j), fmt.Sprintf("%d is not an HTTP status code", status), "they lie between 100 and 599")
		}
	}
	if w := e.Expect.Warning; w != nil && *w < e.Expect.Critical {
		c.fault(path+".expect.warning", fmt.Sprintf("%s is shorter than critical, %s: nothing would be degraded", w, e.Expect.Critical), "make it longer")
	}
	for _, text := range [...][2]string{{"component", e.Component}, {"check", e.Check}} {
		if len(text[1]) > 200 {
			c.fault(path+"."+text[0], "longer than 200 bytes", "shorten it")
		}
	}
}

// wire is the check as agents read it. Without an interval of its own it has
// the component's.
func (e *checkEntry) wire(component settings.Duration) wire.AssignedCheck {
	text := func(d settings.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	if e.Interval == 0 {
		e.Interval = component
	}
	out := wire.AssignedCheck{Component: e.Component, Check: e.Check, HTTP: e.HTTP, TCP: e.TCP, TLS: e.TLS, DNS: e.DNS, ICMP: e.ICMP,
		Interval: text(e.Interval), Timeout: text(e.Timeout), Slow: text(e.Slow), ServerName: e.ServerName, Type: e.Type, Server: e.Server}
	x := wire.AssignedExpect{Status: e.Expect.Status, Contains: e.Expect.Contains, Redirects: e.Expect.Redirects,
		Critical: text(e.Expect.Critical), Answers: e.Expect.Answers}
	if e.Expect.Warning != nil {
		x.Warning = e.Expect.Warning.String()
	}
	if len(x.Status)+len(x.Answers) > 0 || x.Contains != "" || x.Redirects != nil || x.Warning != "" || x.Critical != "" {
		out.Expect = &x
	}
	return out
}

// AssignedTo are the checks of one host, in the order of the file.
func (c *Catalogue) AssignedTo(instance string) wire.Checks {
	out := wire.Checks{Checks: []wire.AssignedCheck{}}
	for _, each := range c.Checks {
		if slices.Contains(each.From, instance) {
			out.Checks = append(out.Checks, each.AssignedCheck)
		}
	}
	return out
}
