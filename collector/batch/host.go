package batch

import (
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	generation = time.Hour // a series not asked for during one whole generation is forgotten
	maxShapes  = 8         // bodies of different label sections remembered per host
	maxOrder   = 1 << 14   // label sections of one shape recognised by position alone
)

// host is what a decoder remembers of one host.
type host struct {
	id     identity
	limits *Limits

	mu      sync.Mutex
	used    int64 // Unix ms of the last record
	turned  int64 // Unix ms when the generation began
	gen     uint32
	table   map[uint64]*Series // by hash of the labels
	active  int                // series in table
	shapes  []*shape           // remote write 2.0, last used first
	plain   *shape             // remote write 1.0
	hint    int                // samples in the last batch
	builder labels.ScratchBuilder
	names   []string // scratch
}

// shape is the label side of a body seen before.
type shape struct {
	symbols []byte // raw section of remote write 2.0, tags included
	spans   []span // of each symbol in symbols
	order   []entry
	byKey   map[string]entry
}

// span is a part of a byte slice.
type span struct{ from, to uint32 }

// entry ties the raw bytes of a label section to its series.
type entry struct {
	key    string
	series *Series
	fact   bool
}

func newHost(id identity, limits *Limits) *host {
	return &host{id: id, limits: limits, table: map[uint64]*Series{}, builder: labels.NewScratchBuilder(16)}
}

// rotate begins a new generation when the last one is old: series not asked
// for since the one before are forgotten, and shapes are learned anew, which
// is what marks the living series.
func (h *host) rotate(now int64) {
	h.used = max(h.used, now)
	if h.turned == 0 {
		h.turned = now
	}
	if now-h.turned < generation.Milliseconds() {
		return
	}
	h.turned = now
	for hash, first := range h.table {
		var kept *Series
		for s := first; s != nil; {
			next := s.next
			if s.seen == h.gen {
				s.next, kept = kept, s
			} else {
				h.active--
			}
			s = next
		}
		if kept == nil {
			delete(h.table, hash)
		} else {
			h.table[hash] = kept
		}
	}
	h.gen++
	h.shapes, h.plain = nil, nil
}

// lookup finds the series of the i-th label section by its raw bytes.
func (sh *shape) lookup(i int, key []byte) (entry, bool) {
	if i < len(sh.order) && sh.order[i].key == string(key) {
		return sh.order[i], true
	}
	e, ok := sh.byKey[string(key)]
	if ok {
		sh.remember(i, e)
	}
	return e, ok
}

func (sh *shape) remember(i int, e entry) {
	switch {
	case i < len(sh.order):
		sh.order[i] = e
	case i == len(sh.order) && i < maxOrder:
		sh.order = append(sh.order, e)
	}
}

// learn adds a label section to the shape.
func (h *host) learn(sh *shape, i int, key []byte, s *Series) entry {
	if bound := 4 * max(h.limits.SeriesPerHost, maxOrder); sh.byKey == nil || len(sh.byKey) > bound {
		sh.byKey, sh.order = map[string]entry{}, nil
	}
	e := entry{key: string(key), series: s, fact: s.Fact != FactNone}
	sh.byKey[e.key] = e
	sh.remember(i, e)
	return e
}

var (
	errSeriesLimit = errors.New("too many series of this host")
	errNoName      = errors.New("no metric name")
)

// begin starts the label section of a series; add and intern follow.
func (h *host) begin() {
	h.builder.Reset()
	h.names = h.names[:0]
}

// add checks one label of the section. The identity's labels are dropped
// here, an empty value means no label.
func (h *host) add(name, value []byte) error {
	switch {
	case len(h.names) >= h.limits.Labels:
		return fmt.Errorf("more than %d labels", h.limits.Labels)
	case len(name) == 0:
		return errors.New("label without a name")
	case len(name) > h.limits.NameBytes:
		return fmt.Errorf("label name of %d bytes, at most %d", len(name), h.limits.NameBytes)
	case len(value) > h.limits.ValueBytes:
		return fmt.Errorf("value of label %q has %d bytes, at most %d", clip(string(name), 60), len(value), h.limits.ValueBytes)
	case !utf8.Valid(name) || !utf8.Valid(value):
		return fmt.Errorf("label %q is not UTF-8", clip(string(name), 60))
	}
	n := string(name)
	for _, other := range h.names {
		if n == other {
			return fmt.Errorf("label %q twice", n)
		}
	}
	h.names = append(h.names, n)
	if n == labels.MetricName && len(value) == 0 {
		return errNoName
	}
	if n != "job" && n != "instance" && n != "customer" && len(value) > 0 {
		h.builder.Add(n, string(value))
	}
	return nil
}

// intern ends the section: the one Series of these labels.
func (h *host) intern() (*Series, error) {
	h.identify()
	h.builder.Sort()
	ls := h.builder.Labels()
	name := ls.Get(labels.MetricName)
	if name == "" {
		return nil, errNoName
	}
	hash := ls.Hash()
	for s := h.table[hash]; s != nil; s = s.next {
		if labels.Equal(s.Labels, ls) {
			s.seen = h.gen
			return s, nil
		}
	}
	if h.limits.SeriesPerHost > 0 && h.active >= h.limits.SeriesPerHost {
		return nil, errSeriesLimit
	}
	s := &Series{Labels: ls, hash: hash, seen: h.gen, next: h.table[hash]}
	switch name {
	case upName:
		s.Fact, s.Component = FactHost, h.id.instance
	case checkStateName:
		if c := ls.Get("component"); c != "" {
			s.Fact, s.Component = FactCheck, c
		}
	}
	h.table[hash] = s
	h.active++
	return s, nil
}

func (h *host) identify() {
	for _, l := range [...]labels.Label{{Name: "job", Value: h.id.job}, {Name: "instance", Value: h.id.instance}, {Name: "customer", Value: h.id.customer}} {
		if l.Value != "" {
			h.builder.Add(l.Name, l.Value)
		}
	}
}
