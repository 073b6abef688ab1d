package damage

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// The stores that data is lost from.
const (
	Series  = "series"  // samples
	Journal = "journal" // what was acknowledged and not yet worked off
)

// Range is a stretch of time of which acknowledged data was lost. It says what
// may be missing: some of it may have been kept elsewhere.
type Range struct {
	Store string `json:"store"`
	What  string `json:"what"`  // the block, or the positions in the journal
	Cause string `json:"cause"` // what was found, for the log's reader
	From  int64  `json:"from"`  // Unix ms; 0 = not known, it may reach back to the beginning
	To    int64  `json:"to"`    // Unix ms, excluded
	Found int64  `json:"found"` // Unix ms
	Lost  int64  `json:"lost"`  // samples of a block, records of the journal, at most; 0 = could not be counted
}

// maxRanges bounds the list. Beyond it the two oldest become one.
const maxRanges = 1000

// List is the list on disk. It is safe for concurrent use.
type List struct {
	path string

	mu     sync.Mutex
	ranges []Range // by Found
}

// file is a list on disk with the checksum of its JSON.
type file struct {
	Ranges json.RawMessage `json:"ranges"`
	CRC32  uint32          `json:"crc32"`
}

// Open reads the list at path, which is made when there is something to put
// there. A list that is damaged itself is set aside, and becomes one range
// that begins nobody knows when.
func Open(path string, now time.Time) (*List, error) {
	l := &List{path: path}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l, nil
	case err != nil:
		return nil, fmt.Errorf("read what was lost: %w", err)
	}
	var f file
	if json.Unmarshal(text, &f) == nil && crc32.ChecksumIEEE(f.Ranges) == f.CRC32 && json.Unmarshal(f.Ranges, &l.ranges) == nil {
		return l, nil
	}
	l.ranges = nil
	if err := os.Rename(path, path+".damaged"); err != nil {
		return nil, fmt.Errorf("set the damaged list of what was lost aside: %w", err)
	}
	return l, l.Add(Range{Store: Series, What: path, Cause: "the list of what was lost is damaged itself; it is kept as " + path + ".damaged", To: now.UnixMilli(), Found: now.UnixMilli()})
}

// Add puts a range on the list, and on disk before it returns. What is on the
// list already, by store and name, stays as it was found first.
func (l *List) Add(r Range) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.ranges, func(old Range) bool { return old.Store == r.Store && old.What == r.What }) {
		return nil
	}
	next := append(slices.Clone(l.ranges), r)
	if len(next) > maxRanges {
		next = slices.Insert(next[2:], 0, joined(next[0], next[1]))
	}
	inner, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write down what was lost: %w", err)
	}
	text, err := json.Marshal(file{Ranges: inner, CRC32: crc32.ChecksumIEEE(inner)})
	if err != nil {
		return fmt.Errorf("write down what was lost: %w", err)
	}
	l.ranges = next // known even where it cannot be written
	if err := durable.WriteFile(l.path, text, 0o640); err != nil {
		return fmt.Errorf("write down what was lost: %w", err)
	}
	return nil
}

// joined covers both ranges.
func joined(a, b Range) Range {
	a.What, a.Cause = a.What+", "+b.What, a.Cause+"; "+b.Cause
	a.What, a.Cause = a.What[:min(len(a.What), 200)], a.Cause[:min(len(a.Cause), 200)]
	a.From, a.To, a.Found, a.Lost = min(a.From, b.From), max(a.To, b.To), min(a.Found, b.Found), a.Lost+b.Lost
	return a
}

// In gives the ranges that touch [from, to) and were found by asOf, all Unix
// ms, those found first before the others.
func (l *List) In(from, to, asOf int64) []Range {
	l.mu.Lock()
	defer l.mu.Unlock()
	var in []Range
	for _, r := range l.ranges {
		if r.From < to && r.To > from && r.Found <= asOf {
			in = append(in, r)
		}
	}
	return in
}

// Describe implements prometheus.Collector.
func (l *List) Describe(out chan<- *prometheus.Desc) {
	ranges, lost := descriptions()
	out <- ranges
	out <- lost
}

// Collect implements prometheus.Collector.
func (l *List) Collect(out chan<- prometheus.Metric) {
	ranges, lost := descriptions()
	count, sum := map[string]float64{}, map[string]float64{}
	l.mu.Lock()
	for _, r := range l.ranges {
		count[r.Store]++
		sum[r.Store] += float64(r.Lost)
	}
	l.mu.Unlock()
	for _, store := range [...]string{Series, Journal} {
		out <- prometheus.MustNewConstMetric(ranges, prometheus.GaugeValue, count[store], store)
		out <- prometheus.MustNewConstMetric(lost, prometheus.GaugeValue, sum[store], store)
	}
}

func descriptions() (ranges, lost *prometheus.Desc) {
	return prometheus.NewDesc("plimsoll_damage_ranges", "Stretches of time of which acknowledged data was lost on the collector's disk.", []string{"store"}, nil),
		prometheus.NewDesc("plimsoll_damage_lost", "How much was lost in them at most, where it could be counted: samples of the series, records of the journal.", []string{"store"}, nil)
}
