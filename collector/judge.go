package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// Judge is the product in twenty lines (round): each resource is measured,
// what stands above its threshold for long enough is a breach, and a breach is
// one problem record, opened, amended or noted. What a round found is written
// in one transaction, so a crash leaves all of it or nothing of it, and the
// record's key is unique in the database: there is never a second record.
type Judge struct {
	opt     JudgeOptions
	woken   chan struct{}
	states  map[string]ledger.JudgeState // by record key; nil until they are read
	last    time.Time                    // up to when all was judged; zero: not known
	looked  time.Time                    // the newest round, also one that failed
	watches time.Time                    // since when there were rounds, without a break of more than MaxGap
	heard   map[string]presence          // by component
	metrics judgeMetrics
}

// JudgeOptions are what a judge works with. Samples, Store and Resources are needed.
type JudgeOptions struct {
	Samples JudgeSamples
	Store   JudgeStore
	// Resources are those in force.
	Resources func() []capacity.Resource
	// Exceptions are other thresholds of some instances; nil: there are none.
	Exceptions func() []capacity.Exception
	// Catalogue says which services a component belongs to, and Version which
	// version of it that is; nil: none.
	Catalogue func() *availability.Catalogue
	Version   func() int64
	// Ready tells whether Samples have all that had been received when the
	// program started; there is no round before, because what is missing would
	// be taken as never measured. nil: they always have.
	Ready func() bool
	// Every is the longest time between two rounds; 0: a minute, or shorter
	// where a resource's `for` is.
	Every time.Duration
	// Zone is what instants in the records' texts are written in; nil: UTC.
	Zone       *time.Location
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: no metrics
}

// JudgeSamples answers PromQL.
type JudgeSamples interface {
	// Range gives the values from step to step, both ends inclusive; a series
	// without a sample in the lookback before an instant has none at it.
	// lookback 0 is what the pages use.
	Range(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) ([]series.Line, error)
}

// JudgeStore keeps what the judge found and remembers.
type JudgeStore interface {
	JudgeStates(ctx context.Context) ([]ledger.JudgeState, error)
	// ApplyJudgement writes all of it or nothing, and returns the records touched.
	ApplyJudgement(ctx context.Context, j ledger.Judgement) ([]record.Record, error)
	// Hosts are those with an agent.
	Hosts(ctx context.Context) ([]ledger.Host, error)
}

// NewJudge makes a judge; Run does the work.
func NewJudge(opt JudgeOptions) *Judge {
	if opt.Catalogue == nil {
		none := &availability.Catalogue{}
		opt.Catalogue = func() *availability.Catalogue { return none }
	}
	if opt.Version == nil {
		opt.Version = func() int64 { return 0 }
	}
	if opt.Zone == nil {
		opt.Zone = time.UTC
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	return &Judge{opt: opt, woken: make(chan struct{}, 1), heard: map[string]presence{}, metrics: newJudgeMetrics(opt.Registerer)}
}

// openJudge makes the judge of a collector.
func (c *Collector) openJudge() error {
	c.judge = NewJudge(JudgeOptions{Samples: promSamples{c.promql}, Store: c.ledger,
		Resources:  func() []capacity.Resource { return figures.Resources(c.inForce()) },
		Exceptions: func() []capacity.Exception { return c.inForce().Exceptions },
		Catalogue:  c.agreed, Version: c.inForceVersion, Ready: func() bool { _, _, ready := c.series.Progress(); return ready },
		Zone: time.Local, Now: c.opt.Now, Log: c.opt.Log, Registerer: c.registry})
	return nil
}

// Wake asks for a round at once, because a state has changed. It never blocks.
func (j *Judge) Wake() {
	select {
	case j.woken <- struct{}{}:
	default: // a round is due anyway
	}
}

// Run judges whenever it is woken and else each minute, until ctx ends.
func (j *Judge) Run(ctx context.Context) error {
	for j.opt.Ready != nil && !j.opt.Ready() {
		if !sleep(ctx, minPause) {
			return nil
		}
	}
	for {
		begin := j.opt.Now()
		if err := j.round(ctx, begin); err != nil && ctx.Err() == nil {
			j.metrics.errors.Inc()
			j.opt.Log.Error("judge", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-j.woken:
			if !sleep(ctx, minPause) {
				return nil
			}
			select { // many changes at once are one round
			case <-j.woken:
			default:
			}
		case <-time.After(j.pause()):
		}
	}
}

// round is what the collector is for.
func (j *Judge) round(ctx context.Context, now time.Time) error {
	if pause := now.Sub(j.looked); pause < 0 || pause > capacity.MaxGap*time.Millisecond {
		j.watches = now
	}
	j.looked = now
	if err := j.remember(ctx); err != nil {
		return err
	}
	var faults []error
	verdict := verdict{Judgement: ledger.Judgement{At: now.UnixMilli()}}
	resources := j.opt.Resources()
	exceptions, hosts, err := j.exceptions(ctx)
	if err != nil {
		return err
	}
	for r := range resources {
		instances, err := j.measure(ctx, &resources[r], windowOf(&resources[r], j.last, now))
		faults = append(faults, err)
		for i := range instances {
			each := &instances[i]
			each.resource, _ = capacity.For(each.resource, exceptions, hosts.Label(each.series), now.UnixMilli())
			if !each.resource.Unbounded() { // else it is not judged: what stood in breach is no longer measured
				j.judge(ctx, &verdict, each, now)
			}
		}
	}
	if err := errors.Join(faults...); err == nil { // else a value may be missing because nobody could ask for it
		faults = append(faults, j.miss(ctx, &verdict, resources, now))
	}
	records, err := j.opt.Store.ApplyJudgement(ctx, verdict.Judgement)
	if err == nil {
		j.announce(&verdict, records)
		j.last = now
	} else {
		j.states = nil // what of it is in the ledger is not known: the next round reads it
	}
	j.metrics.rounds.Inc()
	return errors.Join(append(faults, err)...)
}

// exceptions are those in force, and the labels of hosts that they may ask for.
func (j *Judge) exceptions(ctx context.Context) ([]capacity.Exception, figures.HostLabels, error) {
	if j.opt.Exceptions == nil {
		return nil, nil, nil
	}
	all := j.opt.Exceptions()
	if len(all) == 0 {
		return nil, nil, nil
	}
	hosts, err := j.opt.Store.Hosts(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for the labels of hosts: %w", err)
	}
	return all, figures.LabelsOf(hosts), nil
}

// judge walks one instance through its values. What was judged before is not
// judged again, unless the clock was set back behind it.
func (j *Judge) judge(ctx context.Context, v *verdict, i *instance, now time.Time) {
	before := j.states[i.key].State
	state := before
	for _, value := range i.values {
		if value.at <= before.Seen && before.Seen <= now.UnixMilli() {
			continue
		}
		var findings []capacity.Finding
		state, findings = capacity.Judge(state, i.resource, value.used, value.limit, value.at)
		for f := range findings {
			j.conclude(ctx, v, i, &findings[f])
		}
	}
	v.remember(i, before, state)
}

// remember reads what an earlier run left, once.
func (j *Judge) remember(ctx context.Context) error {
	if j.states != nil {
		return nil
	}
	all, err := j.opt.Store.JudgeStates(ctx)
	if err != nil {
		return fmt.Errorf("read what was judged before: %w", err)
	}
	j.states = make(map[string]ledger.JudgeState, len(all))
	newest := int64(0)
	for _, s := range all {
		j.states[s.Key] = s
		newest = max(newest, s.State.Seen)
	}
	j.last = time.UnixMilli(newest)
	return nil
}

// announce takes over what is now in the ledger, and says it.
func (j *Judge) announce(v *verdict, records []record.Record) {
	for _, s := range v.latest {
		j.states[s.Key] = s
	}
	if len(v.Returned) > 0 { // the ledger may have ended some of them
		j.states = nil
	}
	j.metrics.findings.WithLabelValues("breached").Add(float64(len(v.Breached)))
	j.metrics.findings.WithLabelValues("escalated").Add(float64(len(v.Escalated)))
	j.metrics.findings.WithLabelValues("recovered").Add(float64(len(v.Recovered)))
	j.metrics.findings.WithLabelValues("vanished").Add(float64(len(v.Vanished)))
	j.metrics.findings.WithLabelValues("returned").Add(float64(len(v.Returned)))
	for i := range records {
		r := &records[i]
		switch {
		case r.Version == 1:
			j.opt.Log.Warn("problem record opened", "no", r.No, "title", r.Title.English)
		case r.Unmeasured != 0:
			j.opt.Log.Warn("what a problem record tells of is no longer measured; the record stays open", "no", r.No, "since", time.UnixMilli(r.Unmeasured))
		case r.Recovered != 0:
			j.opt.Log.Info("what a problem record tells of has recovered; the record stays open", "no", r.No)
		default:
			j.opt.Log.Warn("problem record amended", "no", r.No, "occurrences", r.Occurrences, "priority", r.Priority)
		}
	}
}

const (
	usualPause = time.Minute
	minPause   = time.Second
	minTick    = 5 * time.Second
)

// pause is how long to wait for the next round: a minute, or half of the
// shortest time a threshold has to stand, but not below five seconds.
func (j *Judge) pause() time.Duration {
	pause := usualPause
	if j.opt.Every > 0 {
		return j.opt.Every
	}
	for _, r := range j.opt.Resources() {
		pause = min(pause, max(r.For/2, minTick))
	}
	return pause
}

// sleep waits, and tells whether ctx is still alive afterwards.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

type judgeMetrics struct {
	rounds, errors prometheus.Counter
	findings       *prometheus.CounterVec
}

func newJudgeMetrics(reg prometheus.Registerer) judgeMetrics {
	m := judgeMetrics{
		rounds: prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_judge_rounds_total", Help: "Rounds of the judge."}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_judge_errors_total", Help: "Rounds that could not be finished."}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "plimsoll_judge_findings_total",
			Help: "Findings about resources, by what happened."}, []string{"event"}),
	}
	if reg != nil {
		reg.MustRegister(m.rounds, m.errors, m.findings)
	}
	return m
}
