package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// maxChecks bounds the checks of one host, of its own file and assigned.
const maxChecks = 200

func (v *validator) checks(c *Config) {
	if len(c.Checks) > maxChecks {
		v.fault("checks", fmt.Sprintf("%d checks, more than %d", len(c.Checks), maxChecks), "let several hosts share them")
	}
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
	for _, text := range [...][2]string{{"component", k.Component}, {"check", k.Check}} {
		if len(text[1]) > 200 {
			v.fault(key+"."+text[0], "longer than 200 bytes", "shorten it")
		}
	}
	switch kinds := spec.Kinds(); {
	case len(kinds) > 1:
		v.fault(key, strings.Join(kinds, " and ")+" are given", "make a check of each")
	case len(kinds) == 0 && (v.isOther(key) || k.Script == nil && v.doc.Has(key+".script") || k.Plugin == nil && v.doc.Has(key+".plugin")):
		// It is refused already: a kind that comes later, or a script that is no list.
	default:
		if _, err := check.New(spec); err != nil {
			at := key
			if len(kinds) == 1 {
				at += "." + kinds[0]
				if kinds[0] == "dns" && v.doc.Has(key+".server") && !strings.Contains(err.Error(), k.DNS) {
					at = key + ".server"
				}
				if kinds[0] == "dns" && strings.Contains(err.Error(), "type of record") {
					at = key + ".type"
				}
			}
			v.fault(at, err.Error(), "")
		}
		if len(kinds) == 1 {
			v.options(key, kinds[0])
		}
		if k.Heartbeat != "" && v.listenOff {
			v.fault(key+".heartbeat", "is heard on listen, which is off", "leave listen out for its default, 127.0.0.1:1878")
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
	v.expect(key+".expect", k.Expect, spec)
	if k.CA != "" {
		v.path(key+".ca", k.CA)
	}
}

// option is a key that only some kinds of check have.
type option struct {
	key   string
	kinds []string
}

func options() []option {
	return []option{
		{"ca", []string{"http", "tls"}}, {"server_name", []string{"http", "tls"}},
		{"type", []string{"dns"}}, {"server", []string{"dns"}}, {"expect.answers", []string{"dns"}},
		{"expect.status", []string{"http"}}, {"expect.contains", []string{"http"}}, {"expect.redirects", []string{"http"}},
		{"expect.warning", []string{"tls"}}, {"expect.critical", []string{"tls"}},
		{"expect.min", []string{"process"}}, {"expect.max", []string{"process"}},
		{"expect.max_age", []string{"file"}}, {"expect.min_size", []string{"file"}},
		{"expect.every", []string{"heartbeat"}}, {"expect.grace", []string{"heartbeat"}}, {"slow", []string{"http", "tcp", "tls", "dns", "icmp", "process", "unit", "file", "script", "plugin"}},
	}
}

// options finds keys that mean nothing to a check of that kind.
func (v *validator) options(key, kind string) {
	for _, o := range options() {
		if v.doc.Has(key+"."+o.key) && !slices.Contains(o.kinds, kind) {
			v.fault(key+"."+o.key, fmt.Sprintf("says nothing to a check of kind %s, only to %s", kind, strings.Join(o.kinds, " and ")), "remove it")
		}
	}
}

func (v *validator) expect(key string, e ExpectConfig, spec check.Spec) {
	for j, status := range e.Status {
		if status < 100 || status > 599 {
			v.fault(fmt.Sprintf("%s.status[%d]", key, j), fmt.Sprintf("%d is not an HTTP status code", status), "they lie between 100 and 599")
		}
	}
	if e.Critical > 0 && e.Warning != nil && *e.Warning < e.Critical {
		v.fault(key+".warning", fmt.Sprintf("%s is shorter than critical, %s: nothing would be degraded", e.Warning, e.Critical), "make it longer")
	}
	if e.Min != nil && *e.Min < 0 {
		v.fault(key+".min", fmt.Sprintf("%d is below 0", *e.Min), "")
	}
	if e.Max != nil && *e.Max < max(spec.Count.Min, 1) {
		v.fault(key+".max", fmt.Sprintf("%d is below %d", *e.Max, max(spec.Count.Min, 1)), "leave it out where any number may run")
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

func (v *validator) assigned(a AssignedConfig) {
	for i, text := range a.Allow {
		if _, err := netip.ParsePrefix(text); err != nil {
			v.fault(fmt.Sprintf("assigned.allow[%d]", i), fmt.Sprintf("%q is not a network", text), "write it like 10.0.0.0/8, one address as 10.1.2.3/32")
		}
	}
}
