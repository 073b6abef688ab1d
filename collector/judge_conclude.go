package collector

import (
	"context"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

// Impact and urgency of a problem that a threshold opened. A person who knows
// what hangs on it may change the impact.
const (
	thresholdImpact = 2
	urgencyWarning  = 2
	urgencyCritical = 1
)

// conclude turns a finding about an instance into a change of the ledger.
func (j *Judge) conclude(ctx context.Context, v *verdict, i *instance, f *capacity.Finding) {
	breach := ledger.Breach{Key: i.key, RuleID: i.resource.Rule(), Customer: i.customer, Component: i.component, Metric: i.metric,
		Level: f.Level.String(), Used: f.Used, Limit: f.Limit, Threshold: f.Threshold, Since: f.Since, DetectedAt: f.At}
	told := j.tell(i, f)
	change := ledger.Change{Breach: breach, At: f.At, Since: f.Since}
	switch f.Event {
	case capacity.Breached:
		v.Breached = append(v.Breached, ledger.Breached{Breach: breach, Problem: j.problem(ctx, i, f, told)})
	case capacity.Escalated:
		change.Urgency, change.Note = urgencyCritical, told.Escalates()
		v.Escalated = append(v.Escalated, change)
	case capacity.Recovered:
		change.Note = told.Recovers()
		v.Recovered = append(v.Recovered, change)
	case capacity.Vanished:
		change.Note = told.Vanishes()
		v.Vanished = append(v.Vanished, change)
	case capacity.Returned:
		change.Note = told.Returns()
		v.Returned = append(v.Returned, change)
	}
}

// tell is the finding as texts need it.
func (j *Judge) tell(i *instance, f *capacity.Finding) record.Finding {
	return record.Finding{Resource: i.resource.Name, Component: i.component, Labels: i.labels, Critical: f.Level == capacity.Critical,
		Used: f.Used, Capacity: f.Limit, Unit: i.resource.Unit, Threshold: f.Threshold, Hold: i.resource.For,
		Since: time.UnixMilli(f.Since).In(j.opt.Zone), At: time.UnixMilli(f.At).In(j.opt.Zone)}
}

// problem is the record a breach opens, or by whose values the one that is
// there is amended.
func (j *Judge) problem(ctx context.Context, i *instance, f *capacity.Finding, told record.Finding) ledger.NewProblem {
	urgency := urgencyWarning
	if f.Level == capacity.Critical {
		urgency = urgencyCritical
	}
	title, detail := told.Opening()
	return ledger.NewProblem{
		Record: record.Record{Kind: record.Problem, Customer: i.customer, Services: servicesOf(j.opt.Catalogue(), i.component),
			Components: []string{i.component}, Title: title, Detail: detail, Origin: record.Threshold,
			RuleID: i.resource.Rule(), RuleVersion: j.opt.Version(), Metric: i.metric, DetectedAt: f.At, FirstSeen: f.Since, LastSeen: f.At,
			Observed: f.Used, Limit: f.Threshold * f.Limit, Unit: i.resource.Unit, Impact: thresholdImpact, Urgency: urgency, Key: i.key},
		Evidence: j.evidence(ctx, i, f),
		Again:    told.Repeats(),
	}
}

// servicesOf are the services whose tree reaches the component, by name.
func servicesOf(c *availability.Catalogue, component string) []string {
	reached := map[string]bool{component: true}
	services := []string{}
	for grown := true; grown; {
		grown = false
		for i := range c.Services {
			s := &c.Services[i]
			if !reached[s.Name] && slices.ContainsFunc(s.Names(), func(name string) bool { return reached[name] }) {
				reached[s.Name], grown = true, true
				services = append(services, s.Name)
			}
		}
	}
	slices.Sort(services)
	return services
}
