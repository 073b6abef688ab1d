package source

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

const (
	// topNames is how many names are reported of each kind, at most once a minute.
	topNames = 10
	// maxTopNames bounds the names reported within topMemory, and so the
	// series a host with ever new names makes; others are summed as topOther.
	maxTopNames = 100
	topMemory   = 24 * time.Hour
	topOther    = "[other]"
)

// top is which programs use most of the processors and of memory. Processes of
// one name are one: a web server is all its workers. The label is the name the
// kernel keeps, 15 bytes; arguments may hold secrets and are never read.
type top struct {
	table    *table
	pageSize float64

	at     time.Time // the walk that was reported last
	before map[int]usedTime
	names  map[string]time.Time // reported names and when they were last
}

// usedTime is what a process had used by an earlier walk.
type usedTime struct{ began, ticks uint64 }

// group is the processes of one name.
type group struct {
	name  string
	ticks uint64 // since the walk before
	pages uint64
}

func newTop(t *table) *top {
	return &top{table: t, pageSize: float64(os.Getpagesize()), names: map[string]time.Time{}}
}

func (t *top) collect(ctx context.Context, out *sample.Set) error {
	list, at, err := t.table.read(ctx)
	if err != nil {
		return orNothing(err)
	}
	if at.Equal(t.at) {
		return nil
	}
	groups := t.group(list)
	if seconds := at.Sub(t.at).Seconds(); t.before != nil && seconds > 0 {
		t.report(out, "plimsoll_top_cpu_ratio", at, groups, func(g group) float64 { return float64(g.ticks) / ticks / seconds })
	}
	t.report(out, "plimsoll_top_memory_bytes", at, groups, func(g group) float64 { return float64(g.pages) * t.pageSize })
	t.remember(list, at)
	return nil
}

// group sums the processes by name. One that began since the walk before used
// all its time since; what began and ended in between is not seen.
func (t *top) group(list []process) []group {
	at := make(map[string]int, len(list))
	var groups []group
	for i := range list {
		p := &list[i]
		g, ok := at[p.name]
		if !ok {
			g = len(groups)
			at[p.name] = g
			groups = append(groups, group{name: p.name})
		}
		used := p.ticks
		if was, ok := t.before[p.pid]; ok && was.began == p.began {
			used = p.ticks - min(was.ticks, p.ticks)
		}
		groups[g].ticks += used
		groups[g].pages += p.rss
	}
	return groups
}

// report adds the highest values, by name; nothing for those that are 0.
func (t *top) report(out *sample.Set, metric string, at time.Time, groups []group, value func(group) float64) {
	slices.SortFunc(groups, func(a, b group) int {
		switch va, vb := value(a), value(b); {
		case va > vb:
			return -1
		case va < vb:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	best := slices.Clone(groups[:min(len(groups), topNames)])
	slices.SortFunc(best, func(a, b group) int { return strings.Compare(a.name, b.name) })
	other := 0.0
	for _, g := range best {
		switch v := value(g); {
		case v == 0:
		case t.admit(g.name, at):
			out.Add(metric, v, "process", g.name)
		default:
			other += v
		}
	}
	if other > 0 {
		out.Add(metric, other, "process", topOther)
	}
}

// admit tells whether a name may be a label of its own.
func (t *top) admit(name string, at time.Time) bool {
	if _, known := t.names[name]; !known && len(t.names) >= maxTopNames {
		for old, last := range t.names {
			if at.Sub(last) > topMemory {
				delete(t.names, old)
			}
		}
		if len(t.names) >= maxTopNames {
			return false
		}
	}
	t.names[name] = at
	return true
}

func (t *top) remember(list []process, at time.Time) {
	if t.before == nil {
		t.before = make(map[int]usedTime, len(list))
	}
	clear(t.before)
	for i := range list {
		t.before[list[i].pid] = usedTime{list[i].began, list[i].ticks}
	}
	t.at = at
}
