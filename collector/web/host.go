package web

import (
	"context"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/internal/chart"
	"github.com/plimsoll/plimsoll/internal/wire"
)

type hostView struct {
	Name, State, Ago, Span string
	Damage                 []string // what was lost of the time the charts show
	Quarantine             string   // why nothing of it is taken; empty when it is not in quarantine
	About                  []Pair
	Ranges                 []rangeLink
	Charts                 []chartBox
	Filesystems            []filesystem
	Checks                 []node
	Problems               []problemRow
	Silences               []silenceRow
	SilentMonth            string
	NoProblems             string
}

type rangeLink struct {
	Link, Text string
	Here       bool
}

type chartBox struct {
	Title, Now string
	SVG        template.HTML
}

type filesystem struct {
	Name, Type, Free, Size string
	Fill                   fill
}

// ranges are what a host's charts may show.
func ranges() []struct {
	name string
	span time.Duration
} {
	return []struct {
		name string
		span time.Duration
	}{{"15m", 15 * time.Minute}, {"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}}
}

func (s *Site) host(ctx context.Context, v *visit) (string, any, error) {
	name := v.PathValue("instance")
	hosts, err := s.Store.Hosts(ctx)
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(hosts, func(h ledger.Host) bool { return h.Instance == name && h.RemovedAt == 0 })
	if i < 0 {
		return "", nil, notFound(v.T("kind.host", name))
	}
	h := hosts[i]
	states, err := s.Figures.States(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := hostView{NoProblems: v.T("problems.none"), Name: name, State: states.Hosts().Host(&h).State.String(), Ago: v.ago(h.LastSeen), Quarantine: h.Quarantine}
	wish, chosen := v.Params.Get("range"), time.Hour
	if wish == "" {
		wish = "1h"
		if v.AsOf.UnixMilli()-h.EnrolledAt < time.Hour.Milliseconds() { // there is no more to see yet
			wish = "15m"
		}
	}
	for _, r := range ranges() {
		here := wish == r.name
		if here {
			chosen = r.span
		}
		view.Ranges = append(view.Ranges, rangeLink{v.with("range", r.name), v.T("range." + r.name), here})
	}
	view.Span = v.T("range.span", when(v.AsOf.Add(-chosen), v.Zone).Text, when(v.AsOf, v.Zone).Text)
	view.Damage = s.damage(v, v.AsOf.Add(-chosen).UnixMilli(), v.AsOf.UnixMilli()+1, 0)
	if view.About, err = s.aboutHost(ctx, v, &h); err != nil {
		return "", nil, err
	}
	usages, err := s.Figures.Usages(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	if view.Filesystems, err = s.filesystems(ctx, v, name, usages); err != nil {
		return "", nil, err
	}
	for _, c := range hostCharts(name, rateWindow(chosen)) {
		box, err := s.drawChart(ctx, v, name, c, chosen, usages)
		if err != nil {
			return "", nil, err
		}
		view.Charts = append(view.Charts, box)
	}
	view.Problems, err = s.problemRows(ctx, v, func(r *record.Record) bool { return slices.Contains(r.Components, name) })
	if err != nil {
		return "", nil, err
	}
	if view.Checks, err = s.checksOf(ctx, v, name, states); err != nil {
		return "", nil, err
	}
	if h.Sender != "" {
		for _, c := range slices.Sorted(slices.Values(states.Hosts().Targets(name))) {
			view.Checks = append(view.Checks, v.node(c, states.Components[c], s.componentLink(ctx, v, c)))
		}
	}
	if err = s.silences(ctx, v, &view); err != nil {
		return "", nil, err
	}
	return name, view, nil
}

// checksOf lists the components this host has observed, with their states.
func (s *Site) checksOf(ctx context.Context, v *visit, name string, states figures.States) ([]node, error) {
	samples, err := s.Samples.Instant(ctx, `plimsoll_check_state{instance=`+quoted(name)+`}`, v.AsOf)
	if err != nil {
		return nil, err
	}
	var nodes []node
	for _, sample := range samples {
		c := sample.Labels.Get("component")
		nodes = append(nodes, v.node(c, states.Components[c], s.componentLink(ctx, v, c)))
	}
	return nodes, nil
}

func (s *Site) aboutHost(ctx context.Context, v *visit, h *ledger.Host) ([]Pair, error) {
	sel := `{instance=` + quoted(h.Instance) + `}`
	one := func(expr string) (float64, bool, error) {
		samples, err := s.Samples.Instant(ctx, expr, v.AsOf)
		if err != nil || len(samples) == 0 {
			return 0, false, err
		}
		return samples[0].V, true, nil
	}
	var boot, cores, memory, clock string
	if value, ok, err := one(`plimsoll_agent_clock_ahead_seconds` + sel); err != nil {
		return nil, err
	} else if ok && math.Abs(value) > wire.MaxClockError.Seconds() {
		key := "host.clock.fast"
		if value < 0 {
			key = "host.clock.slow"
		}
		clock = v.T(key, v.Millis(int64(math.Abs(value)*1000)))
	}
	if value, ok, err := one(`node_boot_time_seconds` + sel); err != nil {
		return nil, err
	} else if ok {
		boot = v.Millis(v.AsOf.UnixMilli() - int64(value*1000))
	}
	if value, ok, err := one(`count(node_cpu_seconds_total{instance=` + quoted(h.Instance) + `,mode="idle"})`); err != nil {
		return nil, err
	} else if ok {
		cores = strconv.Itoa(int(value))
	}
	if value, ok, err := one(`node_memory_MemTotal_bytes` + sel); err != nil {
		return nil, err
	} else if ok {
		memory = chart.Bytes.Format(value)
	}
	return pairs(v.T("host.os"), strings.TrimSpace(h.OS+" "+h.Arch), v.T("host.cores"), cores, v.T("host.memory"), memory, v.T("host.boot"), boot, v.T("host.clock"), clock,
		v.T("host.customer"), h.Customer, v.T("host.sender"), h.Sender, v.T("host.version"), h.Version, v.T("host.enrolled"), whenMS(h.EnrolledAt, v.Zone).Text, v.T("host.id"), h.ID, v.T("host.labels"), labelText(h.Labels)), nil
}

// labelText is name=value, in the order of the names.
func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name+"="+labels[name])
	}
	return strings.Join(parts, ", ")
}

// filesystems lists what the host has mounted, the fullest first.
func (s *Site) filesystems(ctx context.Context, v *visit, name string, usages []figures.Usage) ([]filesystem, error) {
	types := map[string]string{}
	samples, err := s.Samples.Instant(ctx, `node_filesystem_size_bytes{instance=`+quoted(name)+`}`, v.AsOf)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		types[sample.Labels.Get("mountpoint")] = strings.TrimSpace(sample.Labels.Get("device") + " " + sample.Labels.Get("fstype"))
	}
	var all []filesystem
	for _, u := range usages {
		if u.Resource.Name != "filesystem" || u.Labels["instance"] != name {
			continue
		}
		m := u.Labels["mountpoint"]
		all = append(all, filesystem{Name: m, Type: types[m], Fill: v.fill(u, ""), Free: chart.Bytes.Format(u.Limit - u.Used), Size: chart.Bytes.Format(u.Limit)})
	}
	slices.SortStableFunc(all, func(a, b filesystem) int { return strings.Compare(b.Fill.Share, a.Fill.Share) })
	return all, nil
}

// quoted makes a label value of text, inside its quotes.
func quoted(text string) string { return strconv.Quote(text) }

// hostChart is one drawing of the host page: the name of each line is either
// fixed or comes from a label.
type hostChart struct {
	key      string
	unit     chart.Unit
	top      float64
	resource string // whose thresholds are drawn
	topExpr  string // the axis reaches what this gives
	lines    []hostLine
}

type hostLine struct{ key, label, expr string }

// rateWindow is over how long rates are taken in a chart of that span: at
// least four collections, and no sample is skipped between two points.
func rateWindow(span time.Duration) string {
	return fmt.Sprintf("%ds", int(max(time.Minute, chartStep(span)*2).Seconds()))
}

// chartStep gives at most 240 points.
func chartStep(span time.Duration) time.Duration {
	return max(5*time.Second, (span / 240).Truncate(time.Second))
}

// slowWindow is over how long rates are taken where a host's samples, such as
// those of a Prometheus, come too seldom for the window of the chart.
const slowWindow = "300s"

func hostCharts(instance, window string) []hostChart {
	i := `instance=` + quoted(instance)
	either := func(over func(window string) string) string { return over(window) + " or " + over(slowWindow) }
	cpu := func(modes string) string {
		return either(func(window string) string {
			return `sum(rate(node_cpu_seconds_total{` + i + `,mode=~"` + modes + `"}[` + window + `])) / scalar(count(node_cpu_seconds_total{` + i + `,mode="idle"}))`
		})
	}
	rate := func(metric, more string) string {
		return either(func(window string) string { return `sum(rate(` + metric + `{` + i + more + `}[` + window + `]))` })
	}
	return []hostChart{
		{"chart.cpu", chart.Share, 1, "cpu", "", []hostLine{{"line.used", "", cpu("user|nice|system|irq|softirq|steal")},
			{"line.user", "", cpu("user|nice")}, {"line.system", "", cpu("system|irq|softirq")}, {"line.iowait", "", cpu("iowait")}}},
		{"chart.memory", chart.Bytes, 0, "memory", `node_memory_MemTotal_bytes{` + i + `}`, []hostLine{
			{"line.used", "", `node_memory_MemTotal_bytes{` + i + `} - node_memory_MemAvailable_bytes{` + i + `}`},
			{"line.cache", "", `node_memory_Cached_bytes{` + i + `} + node_memory_Buffers_bytes{` + i + `}`},
			{"line.swap", "", `node_memory_SwapTotal_bytes{` + i + `} - node_memory_SwapFree_bytes{` + i + `} > 0`}}},
		{"chart.load", chart.Number, 1, "", "", []hostLine{{"line.load1", "", `node_load1{` + i + `}`}, {"line.load5", "", `node_load5{` + i + `}`}, {"line.load15", "", `node_load15{` + i + `}`}}},
		{"chart.filesystems", chart.Share, 1, "filesystem", "", []hostLine{{"", "mountpoint", `1 - node_filesystem_avail_bytes{` + i + `,fstype!~"tmpfs|ramfs|devtmpfs|squashfs"} / node_filesystem_size_bytes{` + i + `,fstype!~"tmpfs|ramfs|devtmpfs|squashfs"}`}}},
		{"chart.disk", chart.BytesPerSecond, 0, "", "", []hostLine{{"line.read", "", rate("node_disk_read_bytes_total", "")}, {"line.written", "", rate("node_disk_written_bytes_total", "")}}},
		{"chart.network", chart.BytesPerSecond, 0, "", "", []hostLine{{"line.received", "", rate("node_network_receive_bytes_total", `,device!="lo"`)}, {"line.sent", "", rate("node_network_transmit_bytes_total", `,device!="lo"`)}}},
	}
}

// maxLines bounds a chart; a host with more mounts shows the first ones.
const maxLines = 8

// thresholdsOf is the instance of a host's resource whose thresholds are drawn:
// those that hold for all, where one of its instances has them; nil: there are none.
func thresholdsOf(usages []figures.Usage, host, resource string) *figures.Usage {
	var found *figures.Usage
	for i := range usages {
		u := &usages[i]
		if u.Resource.Name == resource && u.Labels["instance"] == host && !u.Resource.Unbounded() && (found == nil || found.Exception != nil && u.Exception == nil) {
			found = u
		}
	}
	return found
}

func (s *Site) drawChart(ctx context.Context, v *visit, name string, c hostChart, span time.Duration, usages []figures.Usage) (chartBox, error) {
	step := chartStep(span)
	from := v.AsOf.Add(-span)
	drawing := chart.Lines{Title: v.T(c.key), Unit: c.unit, Top: c.top, From: from.UnixMilli(), To: v.AsOf.UnixMilli(), Zone: v.Zone,
		Width: 360, Height: 170, // as wide as a phone and as a third of a page, so that its text keeps its size
		Gap: max(3*step.Milliseconds()/2, 20_000), Empty: v.T("samples.none")}
	for _, l := range c.lines {
		found, err := s.Samples.Range(ctx, l.expr, from.Truncate(step).Add(step), v.AsOf, step)
		if err != nil {
			return chartBox{}, err
		}
		for i := range found {
			line := chart.Line{Name: found[i].Labels.Get(l.label)}
			if l.key != "" {
				line.Name = v.T(l.key)
			}
			for _, p := range found[i].Points {
				line.Points = append(line.Points, chart.Point{T: p.T, V: p.V})
			}
			if len(drawing.Lines) < maxLines {
				drawing.Lines = append(drawing.Lines, line)
			}
		}
	}
	scale := 1.0
	if c.topExpr != "" {
		top, err := s.Samples.Instant(ctx, c.topExpr, v.AsOf)
		if err != nil {
			return chartBox{}, err
		}
		if len(top) > 0 {
			drawing.Top, scale = top[0].V, top[0].V
		}
	}
	if u := thresholdsOf(usages, name, c.resource); u != nil && (c.topExpr == "" || scale > 1) {
		drawing.Thresholds = append(drawing.Thresholds, chart.Threshold{Name: v.T("threshold.warning"), Value: u.Resource.Warning * scale})
		if u.Resource.Critical > 0 {
			drawing.Thresholds = append(drawing.Thresholds, chart.Threshold{Name: v.T("threshold.critical"), Value: u.Resource.Critical * scale, Critical: true})
		}
	}
	return chartBox{Title: v.T(c.key), SVG: template.HTML(drawing.SVG())}, nil // escaped by internal/chart
}
