package web

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

type overviewView struct {
	Damage          []string // what was lost on the collector's disk
	Wrong           []cause
	Calm, CalmState string
	Next            []nextStep
	Month           string
	Services        []serviceRow
	Customers       []customerRow // as their users had all their services
	Hosts           []hostRow
	Problems        []problemRow
	NoProblems      string // said where there is none
}

// cause is one line of what is wrong now.
type cause struct {
	State, What, Link, For, Effect string
	Since                          When
}

type nextStep struct {
	Title, Text, Command string
	Button               *struct{ Action, Label string }
	Link                 *struct{ Href, Label string }
}

type serviceRow struct {
	Name, Link, Customer, State, Since              string
	Availability, Minutes, Coverage, Target, Budget string
	Verdict                                         verdict
	Overspent                                       bool
	Strip                                           template.HTML
}

// verdict is what became of a promise; of a period that is not over it says
// that it may still change.
type verdict struct{ State, Text string }

func (v *visit) verdict(state string, f *availability.Figures) verdict {
	return verdict{state, v.Verdict(state, !v.AsOf.Before(f.To.Time()))}
}

type hostRow struct {
	Name, Link, Detail, State, Coverage, Ago string
	CPU, Memory, Disk                        fill
	LastSeen                                 When
	seen                                     int64 // Unix ms, 0 never
}

// fill is a meter.
type fill struct {
	Known                    bool
	Share, Warning, Critical string // numbers a meter takes
	Text, What               string
	Exception                string // why it has thresholds of its own
}

func (s *Site) overview(ctx context.Context, v *visit) (string, any, error) {
	states, err := s.Figures.States(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := overviewView{NoProblems: v.T("problems.none")}
	view.Damage = s.damage(v, math.MinInt64, math.MaxInt64, v.AsOf.Add(-damageShown).UnixMilli())
	view.Month = v.Month(v.AsOf.In(v.Zone).Format("2006-01"))
	if view.Services, err = s.serviceRows(ctx, v, states); err != nil {
		return "", nil, err
	}
	month, err := s.Figures.Month(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view.Customers = v.customerRows(month)
	if view.Hosts, err = s.hostRows(ctx, v, states); err != nil {
		return "", nil, err
	}
	open := func(r *record.Record) bool { return r.State.Open() }
	if view.Problems, err = s.problemRows(ctx, v, open); err != nil {
		return "", nil, err
	}
	if view.Wrong, err = s.causes(ctx, v, states); err != nil {
		return "", nil, err
	}
	view.Calm, view.CalmState = v.calm(view.Services, view.Hosts)
	if s.Next != nil && !v.Explicit {
		for _, step := range s.Next(ctx) {
			view.Next = append(view.Next, s.step(v, step))
		}
	}
	return v.T("overview"), view, nil
}

// lastHeard is how long ago any host last gave a sign of life; empty: none ever did.
func (v *visit) lastHeard(hosts []hostRow) string {
	newest := int64(0)
	for i := range hosts {
		newest = max(newest, hosts[i].seen)
	}
	if newest == 0 {
		return ""
	}
	return v.ago(newest)
}

// calm is what is said when nothing is known to be wrong.
func (v *visit) calm(services []serviceRow, hosts []hostRow) (text, state string) {
	var blind []string
	for _, row := range services {
		if row.State == availability.Unknown.String() {
			blind = append(blind, row.Name)
		}
	}
	switch {
	case len(services) == 0:
		return v.T("calm.nothing"), "unknown"
	case len(blind) == len(services):
		if heard := v.lastHeard(hosts); heard != "" {
			return v.T("calm.silent", heard), "unknown"
		}
		return v.T("calm.waiting"), "unknown"
	case len(blind) > 0:
		return v.T("calm.unknown", strings.Join(blind, ", ")), "unknown"
	case len(services) == 1:
		return v.T("calm.one"), "up"
	}
	return v.T("calm.up", strconv.Itoa(len(services))), "up"
}

func (s *Site) step(v *visit, step Step) nextStep {
	pick := func(texts map[string]string) string {
		if text, ok := texts[v.Lang]; ok {
			return text
		}
		return texts["en"]
	}
	n := nextStep{Title: pick(step.Title), Text: pick(step.Text), Command: step.Command}
	if step.Action != "" && s.access.Allows("POST /actions/{name}", v.Visitor) {
		n.Button = &struct{ Action, Label string }{step.Action, pick(step.Button)}
	}
	if step.Link != "" {
		n.Link = &struct{ Href, Label string }{v.at(step.Link), pick(step.LinkText)}
	}
	return n
}

// causes lists what is down or degraded, and resources that stand above their thresholds.
func (s *Site) causes(ctx context.Context, v *visit, states figures.States) ([]cause, error) {
	at := v.AsOf.UnixMilli()
	var names []string
	for name, st := range states.Components {
		if st.State == availability.Down || st.State == availability.Degraded {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { // the longest first
		return int(states.Components[a].Since-states.Components[b].Since) + 0*strings.Compare(a, b)
	})
	var all []cause
	for _, name := range names {
		st := states.Components[name]
		key := "wrong.component"
		if st.State == availability.Degraded {
			key += ".degraded"
		}
		c := cause{State: st.State.String(), What: v.T(key, name), Since: whenMS(st.Since, v.Zone), For: v.Millis((at - st.Since) / 1000 * 1000),
			Link: s.componentLink(ctx, v, name), Effect: v.effect(s.Figures.Catalogue().Availability, name, states)}
		all = append(all, c)
	}
	records, err := s.Store.Records(ctx, ledger.RecordFilter{})
	if err != nil {
		return nil, err
	}
	silent, err := s.silentHosts(ctx, v)
	if err != nil {
		return nil, err
	}
	for i := range records {
		r := &records[i]
		if r.Origin != record.Threshold || !r.State.Open() || r.DetectedAt > at || r.Recovered != 0 && r.Recovered <= at {
			continue
		}
		if r.Unmeasured != 0 && r.Unmeasured <= at || silent.of(r) != 0 { // not known to be wrong now
			continue
		}
		all = append(all, cause{State: "threshold", What: localized(v.Book, r.Title), Link: v.at("/problems/" + r.No), Since: whenMS(r.FirstSeen, v.Zone),
			For: v.Millis((at - r.FirstSeen) / 1000 * 1000), Effect: r.No})
	}
	return all, nil
}

// effect names the services that suffer from a component.
func (v *visit) effect(c *availability.Catalogue, component string, states figures.States) string {
	var hurt []string
	reached := reaches(c, component)
	for _, name := range reached {
		if st := states.Services[name].State; st == availability.Down || st == availability.Degraded {
			hurt = append(hurt, fmt.Sprintf("%s (%s)", name, v.T("state."+st.String())))
		}
	}
	switch {
	case len(hurt) > 0:
		return v.T("wrong.affects", strings.Join(hurt, ", "))
	case len(reached) == 0:
		return v.T("wrong.affects.none")
	}
	return ""
}

// componentLink leads to the outage a component has at that instant, or to
// the host of that name; empty where there is neither.
func (s *Site) componentLink(ctx context.Context, v *visit, name string) string {
	at := v.AsOf.UnixMilli()
	outages, err := s.Store.Outages(ctx, ledger.OutageFilter{Components: []string{name}, From: at, To: at + 1, Limit: 1})
	if err == nil && len(outages) > 0 {
		return v.at(fmt.Sprintf("/outages/%d", outages[0].ID))
	}
	if hosts, err := s.Store.Hosts(ctx); err == nil {
		for _, h := range hosts {
			if h.Instance == name && h.RemovedAt == 0 {
				return v.at(hostPath(name))
			}
		}
	}
	return ""
}

func (s *Site) serviceRows(ctx context.Context, v *visit, states figures.States) ([]serviceRow, error) {
	month, err := s.Figures.Month(ctx, v.AsOf)
	if err != nil {
		return nil, err
	}
	var rows []serviceRow
	for _, service := range s.Figures.Catalogue().Availability.Services {
		row := serviceRow{Name: service.Name, Link: v.at(servicePath(service.Name)), Customer: service.Customer,
			State: states.Services[service.Name].State.String(), Since: v.since(states.Services[service.Name])}
		zone := v.Zone
		for i := range month { // of several versions in one month the one in force last
			if f := &month[i]; f.Service == service.Name {
				v.fillRow(&row, f)
				zone = zoneOf(f, v.Zone)
			}
		}
		if row.Strip, err = s.quarter(ctx, v, service, zone, 210, nil); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fillRow prints the figures of one agreement version.
func (v *visit) fillRow(row *serviceRow, f *availability.Figures) {
	row.Availability = v.Ratio(f.Exact.Availability, 3)
	row.Coverage = v.Ratio(f.Exact.Coverage, 1)
	row.Target, row.Budget, row.Verdict, row.Overspent = "–", "–", verdict{}, false
	row.Minutes = v.minutes(f)
	if i := figures.Promise(f); i != nil {
		row.Target, row.Verdict = v.Share(i.Target), v.verdict(i.State, f)
	}
	if f.BudgetS != nil {
		row.Budget = v.budget(*f.BudgetS)
		row.Overspent = *f.BudgetS < 0
	}
}

// budget writes what is left, or by how much it is overspent.
func (v *visit) budget(seconds float64) string {
	if seconds < 0 {
		over := -seconds
		return v.T("budget.over", v.Seconds(&over))
	}
	return v.Seconds(&seconds)
}

// minutes stands beside each percentage: down so far, and allowed in the whole period.
func (v *visit) minutes(f *availability.Figures) string {
	down := figures.CountedDown(f)
	if f.Exact.Allowed == nil {
		return v.T("availability.minutes.only", v.Seconds(&down))
	}
	allowed, _ := f.Exact.Allowed.Float64()
	return v.T("availability.minutes", v.Seconds(&down), v.Seconds(&allowed))
}

func (s *Site) hostRows(ctx context.Context, v *visit, states figures.States) ([]hostRow, error) {
	hosts, err := s.Store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	usages, err := s.Figures.Usages(ctx, v.AsOf)
	if err != nil {
		return nil, err
	}
	hostStates := states.Hosts()
	var rows []hostRow
	for i := range hosts {
		h := &hosts[i]
		if h.RemovedAt != 0 || h.EnrolledAt > v.AsOf.UnixMilli() {
			continue
		}
		row := hostRow{Name: h.Instance, Link: v.at(hostPath(h.Instance)), Detail: v.aboutRow(h), State: hostStates.Host(h).State.String(),
			LastSeen: whenMS(h.LastSeen, v.Zone), Ago: v.ago(h.LastSeen), seen: h.LastSeen}
		if h.Quarantine != "" {
			row.Detail = strings.TrimSpace(row.Detail + " · " + v.T("host.quarantined"))
		}
		if row.Coverage, err = s.hostCoverage(ctx, v, h, hostStates.Component(h)); err != nil {
			return nil, err
		}
		for _, u := range usages {
			if u.Labels["instance"] != h.Instance {
				continue
			}
			switch u.Resource.Name {
			case "cpu":
				row.CPU = v.fill(u, "")
			case "memory":
				row.Memory = v.fill(u, "")
			case "filesystem":
				if f := v.fill(u, u.Labels["mountpoint"]); !row.Disk.Known || f.Share > row.Disk.Share {
					row.Disk = f
				}
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// hostCoverage is the share of the last 24 hours, or of the time since it
// enrolled, in which the host's state was known.
func (s *Site) hostCoverage(ctx context.Context, v *visit, h *ledger.Host, component string) (string, error) {
	from := max(v.AsOf.Add(-24*time.Hour).UnixMilli(), h.EnrolledAt)
	timeline, err := s.Figures.ComponentTimeline(ctx, component, time.UnixMilli(from), v.AsOf, v.AsOf)
	if err != nil {
		return "", err
	}
	known, all := int64(0), v.AsOf.UnixMilli()-from
	for _, iv := range timeline {
		if iv.State != availability.Unknown {
			known += iv.To - iv.From
		}
	}
	if all <= 0 {
		return v.T("no.value"), nil
	}
	share := float64(known) / float64(all)
	return v.Percent(&share, 1), nil
}

// fill makes a meter of one instance of a resource.
func (v *visit) fill(u figures.Usage, what string) fill {
	share := u.Share()
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	warning, critical := min(1, u.Resource.Warning), u.Resource.Critical
	if critical == 0 {
		critical = 1
	}
	return fill{Known: true, Share: number(share), Warning: number(warning), Critical: number(critical), Text: v.Percent(&share, 1), What: what, Exception: v.exception(u.Exception, u.Resource)}
}

// exception says which thresholds of its own an instance has, and why; "" where
// it has none.
func (v *visit) exception(e *capacity.Exception, holds *capacity.Resource) string {
	if e == nil {
		return ""
	}
	text := v.T("exception.ignored", e.Reason)
	if !e.Ignore {
		thresholds := v.T("threshold.warning") + " " + v.Percent(&holds.Warning, 1)
		if holds.Critical > 0 {
			thresholds += ", " + v.T("threshold.critical") + " " + v.Percent(&holds.Critical, 1)
		}
		text = v.T("exception.thresholds", thresholds, e.Reason)
	}
	if e.Until != 0 {
		text += " " + v.T("exception.until", whenMS(e.Until, v.Zone).Text)
	}
	return text
}

// aboutRow tells whose a host is, and what it is or who brings it.
func (v *visit) aboutRow(h *ledger.Host) string {
	if h.Sender != "" {
		return strings.TrimSpace(h.Customer + " " + v.T("host.by", h.Sender))
	}
	return strings.TrimSpace(h.Customer + " " + h.OS)
}

type hostsView struct{ Hosts []hostRow }

func (s *Site) hosts(ctx context.Context, v *visit) (string, any, error) {
	states, err := s.Figures.States(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	rows, err := s.hostRows(ctx, v, states)
	return v.T("hosts"), hostsView{rows}, err
}
