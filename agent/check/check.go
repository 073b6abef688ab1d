package check

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"
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

// prober is one kind of test on one target.
type prober interface {
	// probe makes the test once and returns by the context's deadline.
	probe(ctx context.Context) Result
}

// kind is one kind of test: what a spec names as its target, and who makes it.
type kind struct {
	name   string
	target func(*Spec) string // empty: the spec is not of this kind
	make   func(Spec) (prober, error)
}

// kinds are the kinds of check there are, each in a file of its own.
func kinds() []kind {
	return []kind{
		{"http", func(s *Spec) string { return s.HTTP }, newHTTP},
		{"tcp", func(s *Spec) string { return s.TCP }, newTCP},
		{"tls", func(s *Spec) string { return s.TLS }, newTLS},
		{"dns", func(s *Spec) string { return s.DNS }, newDNS},
		{"icmp", func(s *Spec) string { return s.ICMP }, newICMP},
		{"process", func(s *Spec) string { return s.Process }, newProcess},
		{"unit", func(s *Spec) string { return s.Unit }, newUnit},
		{"file", func(s *Spec) string { return s.File }, newFile},
		{"script", func(s *Spec) string { return strings.Join(s.Script, " ") }, newScript},
		{"plugin", func(s *Spec) string { return strings.Join(s.Plugin, " ") }, newPlugin},
		{"heartbeat", func(s *Spec) string { return s.Heartbeat }, newHeartbeat},
	}
}

// Kinds lists the kinds of check there are.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Check is a test that can be made again and again.
type Check struct {
	Spec
	prober prober
}

// New makes the check of a spec. The error says what is wrong with the target.
func New(spec Spec) (*Check, error) {
	for _, k := range kinds() {
		if k.target(&spec) == "" {
			continue
		}
		if err := refusedOn(runtime.GOOS, k.name); err != nil {
			return nil, err
		}
		made, err := k.make(spec)
		if err != nil {
			return nil, err
		}
		return &Check{Spec: spec, prober: made}, nil
	}
	return nil, fmt.Errorf("nothing to test: name one of %v", Kinds())
}

// refusedOn is an error for a kind that can find out nothing on a system: that
// is said when it is configured, not each time it is made.
func refusedOn(system, kind string) error {
	switch {
	case system == "linux":
	case kind == "process":
		return fmt.Errorf("processes are counted in /proc, which %s does not have; test a port of the program by tcp or http, or have a script look for it", system)
	case kind == "unit":
		return fmt.Errorf("units are those of systemd, which %s does not have; test a port of the program by tcp or http, or have a script look for it", system)
	}
	return nil
}

// Result is the outcome of one test.
type Result struct {
	At       time.Time // when it began
	State    State
	Reason   string // why it is not up, in plain words
	Duration time.Duration
	Phases   []Phase // http and icmp only
	Status   int     // http only; 0 = no answer

	Performance []Performance // plugin only
	Unread      int           // plugin only: performance data that could not be read

	Beat *Beat // heartbeat only; nil: none was heard

	// http and tls only, zero when no certificate was shown: when the first
	// of the shown certificates expires, and when the last chain to a trusted
	// root does (zero also when there is no such chain).
	Expiry, ChainExpiry time.Time
}

// Phase is a part of a test by the names of blackbox_exporter.
type Phase struct {
	Name string // http: resolve, connect, tls, processing, transfer; icmp: resolve, setup, rtt
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

// unknown is the result of a test that could not be made.
func unknown(format string, args ...any) Result {
	return Result{State: Unknown, Reason: bounded(fmt.Sprintf(format, args...))}
}

// down is the result of a test that was made and failed.
func down(format string, args ...any) Result {
	return Result{State: Down, Reason: bounded(fmt.Sprintf(format, args...))}
}

// degraded is the result of a test whose target works, but not as it should.
func degraded(format string, args ...any) Result {
	return Result{State: Degraded, Reason: bounded(fmt.Sprintf(format, args...))}
}
