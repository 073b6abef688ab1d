package check

import (
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// AppendResults adds the samples of a check's results, oldest first, series
// by series so that each stands once in the message. An unknown state adds
// no sample of the state and none of success: it is not a fact.
func (c *Check) AppendResults(results []Result, out *sample.Set) {
	series := func(name string, value func(Result) (float64, bool)) {
		for _, r := range results {
			if v, ok := value(r); ok {
				out.AddAt(r.At.UnixMilli(), name, v, "check", c.Name, "component", c.Component)
			}
		}
	}
	series("plimsoll_check_state", func(r Result) (float64, bool) { return r.State.value(), r.State != Unknown })
	series("probe_success", func(r Result) (float64, bool) {
		if r.State >= Degraded {
			return 1, true
		}
		return 0, r.State != Unknown
	})
	series("probe_duration_seconds", func(r Result) (float64, bool) { return r.Duration.Seconds(), true })
	switch {
	case c.HTTP != "":
		series("probe_http_status_code", func(r Result) (float64, bool) { return float64(r.Status), r.State != Unknown })
		c.appendPhases("probe_http_duration_seconds", httpPhases(), results, out)
	case c.ICMP != "":
		c.appendPhases("probe_icmp_duration_seconds", icmpPhases(), results, out)
	case len(c.Plugin) > 0:
		c.appendPerformance(results, out)
	case c.Heartbeat != "":
		series("plimsoll_heartbeat_last_timestamp_seconds", func(r Result) (float64, bool) { return r.Beat.seconds() })
		series("plimsoll_heartbeat_status", func(r Result) (float64, bool) { return r.Beat.status() })
		series("plimsoll_heartbeat_duration_seconds", func(r Result) (float64, bool) { return r.Beat.took() })
	}
	series("probe_ssl_earliest_cert_expiry", func(r Result) (float64, bool) { return seconds(r.Expiry), !r.Expiry.IsZero() })
	series("probe_ssl_last_chain_expiry_timestamp_seconds", func(r Result) (float64, bool) { return seconds(r.ChainExpiry), !r.ChainExpiry.IsZero() })
}

// appendPerformance adds what a plugin measured, each value with the label
// and the unit the plugin gave it.
func (c *Check) appendPerformance(results []Result, out *sample.Set) {
	for _, part := range [...]struct {
		name string
		of   func(*Performance) float64
	}{
		{"plimsoll_plugin_value", func(p *Performance) float64 { return p.Value }},
		{"plimsoll_plugin_warning", func(p *Performance) float64 { return p.Warning }},
		{"plimsoll_plugin_critical", func(p *Performance) float64 { return p.Critical }},
		{"plimsoll_plugin_min", func(p *Performance) float64 { return p.Min }},
		{"plimsoll_plugin_max", func(p *Performance) float64 { return p.Max }},
	} {
		for _, is := range measuredBy(results) {
			for i := range results {
				for j := range results[i].Performance {
					if p := &results[i].Performance[j]; (measured{p.Label, p.Unit}) == is {
						out.AddAt(results[i].At.UnixMilli(), part.name, part.of(p), "check", c.Name, "component", c.Component, "label", p.Label, "unit", p.Unit)
					}
				}
			}
		}
	}
	for i := range results {
		out.AddAt(results[i].At.UnixMilli(), "plimsoll_plugin_unread_values", float64(results[i].Unread), "check", c.Name, "component", c.Component)
	}
}

// measured names a value of a plugin.
type measured struct{ label, unit string }

// measuredBy are the values of the results, in the order they first come.
func measuredBy(results []Result) (all []measured) {
	for i := range results {
		for j := range results[i].Performance {
			p := &results[i].Performance[j]
			if is := (measured{p.Label, p.Unit}); !slices.Contains(all, is) {
				all = append(all, is)
			}
		}
	}
	return all
}

func (c *Check) appendPhases(name string, phases []string, results []Result, out *sample.Set) {
	for _, phase := range phases {
		for _, r := range results {
			for _, p := range r.Phases {
				if p.Name == phase {
					out.AddAt(r.At.UnixMilli(), name, p.Took.Seconds(), "check", c.Name, "component", c.Component, "phase", phase)
				}
			}
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.Unix()) }

func httpPhases() []string {
	return []string{"resolve", "connect", "tls", "processing", "transfer"}
}

func icmpPhases() []string {
	return []string{"resolve", "setup", "rtt"}
}
