package check

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// State is what a test found out.
type State uint8

// The states. The zero value is Unknown: nothing was found out.
const (
	Unknown State = iota
	Down
	Degraded
	Up
)

// String is the state as notes carry it.
func (s State) String() string {
	return [...]string{"unknown", "down", "degraded", "up"}[s]
}

// value is the state as a sample: 1 up, 0.5 degraded, 0 down.
func (s State) value() float64 {
	return [...]float64{0, 0, 0.5, 1}[s]
}

// Spec is a check as it is configured.
type Spec struct {
	Component string // what is tested, by the catalogue's name
	Name      string // which test of it; the kind unless given
	Interval  time.Duration
	Timeout   time.Duration // of one test; below Interval
	Slow      time.Duration // longer than this is degraded; 0 = never
	HTTP      string        // URL, or
	TCP       string        // host:port
	Status    []int         // http: accepted status codes; empty = 200 to 299
	Contains  string        // http: text the body must contain; empty = any body
	NoFollow  bool          // http: take a redirect as the answer
}

// Kinds lists the kinds of check there are.
func Kinds() []string { return []string{"http", "tcp"} }

// Check is a test that can be made again and again.
type Check struct {
	Spec
	prober interface {
		// probe makes the test once and returns by the context's deadline.
		probe(ctx context.Context) Result
	}
}

// New makes the check of a spec. The error says what is wrong with the target.
func New(spec Spec) (*Check, error) {
	c := &Check{Spec: spec}
	var err error
	switch {
	case spec.HTTP != "":
		c.prober, err = newHTTP(spec)
	case spec.TCP != "":
		c.prober, err = newTCP(spec)
	default:
		err = fmt.Errorf("nothing to test: name one of %v", Kinds())
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Result is the outcome of one test.
type Result struct {
	At       time.Time // when it began
	State    State
	Reason   string // why it is not up, in plain words
	Duration time.Duration
	Phases   []Phase // http only
	Status   int     // http only; 0 = no answer
}

// Phase is a part of a test by the names of blackbox_exporter.
type Phase struct {
	Name string // resolve, connect, tls, processing, transfer
	Took time.Duration
}

// Probe makes the test once, within the check's timeout.
func (c *Check) Probe(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	begin := time.Now()
	r := c.prober.probe(ctx)
	r.At, r.Duration = begin, time.Since(begin)
	if r.State == Up && c.Slow > 0 && r.Duration > c.Slow {
		r.State = Degraded
		r.Reason = fmt.Sprintf("answered after %s, slower than %s", r.Duration.Round(time.Millisecond), c.Slow)
	}
	return r
}

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
	if c.HTTP == "" {
		return
	}
	series("probe_http_status_code", func(r Result) (float64, bool) { return float64(r.Status), r.State != Unknown })
	for _, phase := range phases() {
		for _, r := range results {
			for _, p := range r.Phases {
				if p.Name == phase {
					out.AddAt(r.At.UnixMilli(), "probe_http_duration_seconds", p.Took.Seconds(), "check", c.Name, "component", c.Component, "phase", phase)
				}
			}
		}
	}
}

func phases() []string {
	return []string{"resolve", "connect", "tls", "processing", "transfer"}
}
