package check

import (
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
	}
	series("probe_ssl_earliest_cert_expiry", func(r Result) (float64, bool) { return seconds(r.Expiry), !r.Expiry.IsZero() })
	series("probe_ssl_last_chain_expiry_timestamp_seconds", func(r Result) (float64, bool) { return seconds(r.ChainExpiry), !r.ChainExpiry.IsZero() })
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
