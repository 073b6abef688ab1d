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
	v.assigned(c.Assigned)
	return v.faults
}

// labelName is what Prometheus takes as the name of a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

type validator struct {
	doc    *settings.Document
	faults settings.Faults

	listenOff bool // the agent serves nothing itself
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
		v.listenOff = true
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
