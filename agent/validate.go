package agent

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// validate finds what is wrong with a configuration although each value is of
// the right type.
func validate(doc *settings.Document, c *Config) settings.Faults {
	v := validator{doc: doc}
	v.path("data", c.Data)
	v.path("roots.proc", c.Roots.Proc)
	v.path("roots.sys", c.Roots.Sys)
	v.path("roots.rootfs", c.Roots.RootFS)
	v.interval("interval", c.Interval.Std())
	v.listen(c.Listen)
	for i, a := range c.Collector.Addresses {
		v.address(fmt.Sprintf("collector.addresses[%d]", i), a)
	}
	if u, err := url.Parse(c.Collector.Proxy); c.Collector.Proxy != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		v.fault("collector.proxy", "this is not the URL of an HTTP proxy", "write it like http://proxy.example:3128")
	}
	v.remoteWrite(&c.RemoteWrite)
	if c.Buffer.MaxBytes < minBuffer {
		v.fault("buffer.max_bytes", "below 1MiB, which holds less than an hour", "give it more, 512MiB is the default")
	}
	if c.Buffer.MaxAge.Std() < time.Minute {
		v.fault("buffer.max_age", "below one minute: no outage of the collector is that short", "7d is the default")
	}
	v.sources(c)
	v.checks(c)
	return v.faults
}

// labelName is what Prometheus takes as the name of a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

type validator struct {
	doc    *settings.Document
	faults settings.Faults
}

func (v *validator) fault(path, message, remedy string) {
	v.faults = append(v.faults, v.doc.Fault(path, message, remedy))
}

func (v *validator) path(key, value string) {
	if !filepath.IsAbs(value) && !strings.HasPrefix(value, "/") {
		v.fault(key, fmt.Sprintf("%q is not an absolute path", value), "begin it with /")
	}
}

func (v *validator) interval(key string, d time.Duration) {
	if d < minInterval || d > maxInterval {
		v.fault(key, fmt.Sprintf("%s is not between %s and %s", settings.Duration(d), settings.Duration(minInterval), settings.Duration(maxInterval)), "15s is the default")
	}
}

// listen: the agent's own metrics ask for no password, so nobody else may read them.
func (v *validator) listen(value string) {
	if value == "" || value == "off" {
		return
	}
	host, port, err := net.SplitHostPort(value)
	if err != nil || !validPort(port, true) {
		v.fault("listen", fmt.Sprintf("%q is not host:port", value), `write it like 127.0.0.1:1878, or "off"`)
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		v.fault("listen", fmt.Sprintf("%s is not on loopback, and this page asks for no password", value), "use 127.0.0.1; the collector has the same figures")
	}
}

func (v *validator) remoteWrite(r *RemoteWriteConfig) {
	if r.URL == "" {
		if len(r.Labels) > 0 || r.BearerTokenFile != "" || r.CAFile != "" {
			v.fault("remote_write.url", "missing, but the other keys of remote_write are set", "write it like https://metrics.example/api/v1/write")
		}
		return
	}
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		v.fault("remote_write.url", fmt.Sprintf("%q is not an http or https URL", r.URL), "write it like https://metrics.example/api/v1/write")
	case u.User != nil:
		v.fault("remote_write.url", "a name or password in the URL would be written to logs", "put a token into a file and name it in remote_write.bearer_token_file")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		if !labelName.MatchString(name) || strings.HasPrefix(name, "__") {
			v.fault("remote_write.labels."+name, fmt.Sprintf("%q is not the name of a label", name), "letters, digits and _, no digit first, and not __ first")
		}
	}
	if r.BearerTokenFile != "" {
		v.path("remote_write.bearer_token_file", r.BearerTokenFile)
	}
	if r.CAFile != "" {
		v.path("remote_write.ca_file", r.CAFile)
	}
}

func (v *validator) address(key, value string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host == "" || !validPort(port, false) {
		v.fault(key, fmt.Sprintf("%q is not host:port", value), "write it like collector.example:1877")
	}
}

func validPort(text string, zero bool) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && (n > 0 || zero)
}

func (v *validator) sources(c *Config) {
	known := source.Names()
	names := make([]string, 0, len(c.Sources))
	for name := range c.Sources {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		key := "sources." + name
		if !slices.Contains(known, name) {
			remedy := settings.DidYouMean(name, known)
			if remedy == "" {
				remedy = "known: " + strings.Join(known, ", ")
			}
			v.fault(key, "no such source", remedy)
			continue
		}
		if d := c.Sources[name].Interval.Std(); d != 0 && d < c.Interval.Std() {
			v.fault(key+".interval", fmt.Sprintf("%s is shorter than the interval of collections, %s", settings.Duration(d), c.Interval), "make it longer, or shorten the other")
		}
	}
}

func (v *validator) checks(c *Config) {
	seen := map[string]int{}
	for i, k := range c.Checks {
		key := fmt.Sprintf("checks[%d]", i)
		spec := c.spec(k)
		v.check(key, k, spec)
		// Facts are told apart by component and observer, and this host is one
		// observer: two checks of one component would contradict each other.
		if first, twice := seen[spec.Component]; twice && spec.Component != "" {
			v.fault(key, fmt.Sprintf("component %s is tested by checks[%d] already", spec.Component, first), "name another component, and let the service need all_of both")
		} else {
			seen[spec.Component] = i
		}
	}
}

func (v *validator) check(key string, k CheckConfig, spec check.Spec) {
	if k.Component == "" {
		v.fault(key, "component is missing", "name what is tested, as the catalogue does")
	}
	for field, text := range map[string]string{"component": k.Component, "check": k.Check} {
		if len(text) > 200 {
			v.fault(key+"."+field, "longer than 200 bytes", "shorten it")
		}
	}
	switch {
	case k.HTTP != "" && k.TCP != "":
		v.fault(key, "both http and tcp are given", "make two checks of it")
	case k.HTTP == "" && k.TCP == "" && v.isOther(key):
		// The kind is refused already, as one that comes later.
	default:
		if _, err := check.New(spec); err != nil {
			at := key
			if k.HTTP != "" {
				at += ".http"
			} else if k.TCP != "" {
				at += ".tcp"
			}
			v.fault(at, err.Error(), "")
		}
	}
	if k.Interval != 0 {
		v.interval(key+".interval", spec.Interval)
	}
	if spec.Timeout > spec.Interval || spec.Timeout <= 0 {
		v.fault(key+".timeout", fmt.Sprintf("%s is longer than the interval, %s", k.Timeout, settings.Duration(spec.Interval)), "shorten it: a check never overlaps itself")
	}
	if spec.Slow >= spec.Timeout && spec.Slow > 0 {
		v.fault(key+".slow", fmt.Sprintf("%s is not below the timeout, %s: nothing would be degraded", k.Slow, settings.Duration(spec.Timeout)), "shorten it")
	}
	if k.HTTP == "" && (len(k.Expect.Status) > 0 || k.Expect.Contains != "" || k.Expect.Redirects != nil) {
		v.fault(key+".expect", "only an http check has an answer to expect something of", "remove it")
	}
	for j, status := range k.Expect.Status {
		if status < 100 || status > 599 {
			v.fault(fmt.Sprintf("%s.expect.status[%d]", key, j), fmt.Sprintf("%d is not an HTTP status code", status), "they lie between 100 and 599")
		}
	}
}

// isOther tells a check of a kind there is not yet.
func (v *validator) isOther(key string) bool {
	for _, kind := range laterKinds() {
		if v.doc.Has(key + "." + kind) {
			return true
		}
	}
	return false
}
