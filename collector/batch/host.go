package batch

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	generation = time.Hour // a series not asked for during one whole generation is forgotten
	maxShapes  = 8         // bodies of different symbols remembered per host
	maxEntries = 1 << 14   // label sections remembered per shape, at least
	perEntry   = 256       // bytes remembered per section, on average
	maxSymbols = 1 << 20   // bytes of symbols remembered per shape
)

// metricName is the label that holds the name of the metric.
const metricName = "__name__"

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
	own     owner              // of an agent's series
	foreign *foreign           // nil for an agent
	now     int64              // Unix ms of the record being decoded
	shapes  []*shape           // remote write 2.0, last used first
	plain   *shape             // remote write 1.0
	hint    int                // samples in the last batch
	seed    maphash.Seed
	builder labels.ScratchBuilder
	names   []string // scratch, as are the next four
	bytes   int      // of the labels of the section
	named   bool     // the section has the name of a metric
	renamed bool     // its instance is listed under another name
	forged  bool     // it names another instance or customer than the agent's
	refused string   // the name of the metric that was refused
	because *owner   // whose limit it was; nil: the sender's
}

// owner is a host as far as series are counted: the agent's, or one of those a
// foreign sender brings.
type owner struct {
	name     string // as listed
	host     string // id of a foreign sender's
	active   int    // series
	spent    float64
	refilled int64 // Unix ms
}

// spend takes the permission to add a series: SeriesPerHost at once, and
// NewSeries more with each minute.
func (o *owner) spend(l *Limits, now int64) bool {
	if l.NewSeries <= 0 || l.SeriesPerHost <= 0 {
		return true
	}
	if passed := now - o.refilled; o.refilled != 0 && passed > 0 {
		o.spent = max(0, o.spent-float64(passed)/60_000*float64(l.NewSeries))
	}
	o.refilled = max(o.refilled, now)
	if o.spent+1 > float64(l.SeriesPerHost) {
		return false
	}
	o.spent++
	return true
}

// shape is the label side of bodies seen before. Bodies of one shape name
// nearly the same series in nearly the same order, so the section after the
// one just recognised is tried first; the index serves when it is another.
type shape struct {
	symbols []byte // raw section of remote write 2.0, tags included
	spans   []span // of each symbol in symbols
	keys    []byte // raw label sections, one after the other
	entries []entry
	index   map[uint64]uint32 // hash of a section to its entry; of two with one hash the later
}

// span is a part of a byte slice.
type span struct{ from, to uint32 }

// entry ties a raw label section to its series.
type entry struct {
	key     span // in keys
	fact    bool
	forged  bool // it named another instance or customer
	renamed bool
	series  *Series
}

func newHost(id identity, limits *Limits) *host {
	h := &host{id: id, limits: limits, own: owner{name: id.instance}, seed: maphash.MakeSeed(), table: map[uint64]*Series{}, builder: labels.NewScratchBuilder(16)}
	if id.foreign {
		h.foreign = newForeign(id)
	}
	return h
}

// rotate begins a new generation when the last one is old: series not asked
// for since the one before are forgotten, and shapes are learned anew, which
// is what marks the living series.
func (h *host) rotate(now int64) {
	h.used, h.now = max(h.used, now), now
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
				s.owner.active--
			}
			s = next
		}
		if kept == nil {
			delete(h.table, hash)
		} else {
			h.table[hash] = kept
		}
	}
	if f := h.foreign; f != nil {
		for name, o := range f.owners {
			if o.active == 0 {
				delete(f.owners, name)
			}
		}
	}
	h.gen++
	h.shapes, h.plain = nil, nil
}

// expect is the raw section of entry i; empty when there is none.
func (sh *shape) expect(i int) []byte {
	if i >= len(sh.entries) {
		return nil
	}
	k := sh.entries[i].key
	return sh.keys[k.from:k.to]
}

// find is the entry of a raw section; likely is tried first.
func (h *host) find(sh *shape, likely int, key []byte) (int, bool) {
	if likely < len(sh.entries) && bytes.Equal(sh.expect(likely), key) {
		return likely, true
	}
	i, ok := sh.index[maphash.Bytes(h.seed, key)]
	if ok && bytes.Equal(sh.expect(int(i)), key) {
		return int(i), true
	}
	return 0, false
}

// learn adds a section to the shape and returns its entry.
func (h *host) learn(sh *shape, key []byte, s *Series) int {
	bound := max(2*h.limits.SeriesPerHost, maxEntries)
	if h.foreign != nil {
		bound = max(bound, 2*h.limits.SeriesPerSender)
	}
	if sh.index == nil || len(sh.entries) >= bound || len(sh.keys) >= bound*perEntry {
		sh.index, sh.entries, sh.keys = map[uint64]uint32{}, nil, nil
	}
	from := uint32(len(sh.keys))
	sh.keys = append(sh.keys, key...)
	sh.entries = append(sh.entries, entry{key: span{from, uint32(len(sh.keys))}, series: s, fact: s.Fact != FactNone, forged: h.forged, renamed: h.renamed})
	i := len(sh.entries) - 1
	sh.index[maphash.Bytes(h.seed, key)] = uint32(i)
	return i
}

var (
	errSeriesLimit = errors.New("too many series of this host")
	errNewSeries   = errors.New("too many new series of this host")
	errNoName      = errors.New("no metric name")
)

// begin starts the label section of a series; add and intern follow.
func (h *host) begin() {
	h.builder.Reset()
	h.names, h.bytes, h.named, h.forged, h.renamed = h.names[:0], 0, false, false, false
	if h.foreign != nil {
		h.foreign.instance, h.foreign.host = "", ""
	}
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
	if h.bytes += len(name) + len(value); h.bytes > h.limits.SeriesBytes {
		return fmt.Errorf("labels of more than %d bytes together", h.limits.SeriesBytes)
	}
	n := string(name)
	for _, other := range h.names {
		if n == other {
			return fmt.Errorf("label %q twice", n)
		}
	}
	h.names = append(h.names, n)
	if n == metricName {
		if len(value) == 0 {
			return errNoName
		}
		h.named = true
	}
	h.forged = h.forged || h.foreign == nil && (n == "instance" && string(value) != h.id.instance || n == "customer" && string(value) != h.id.customer)
	if len(value) > 0 {
		h.take(n, string(value))
	}
	return nil
}

// take keeps a label of the section, but for those the identity gives.
func (h *host) take(name, value string) {
	f := h.foreign
	switch {
	case name == SenderLabel:
	case f == nil && (name == "job" || name == "instance" || name == "customer"):
	case f != nil && name == "instance":
		f.instance = value
	case f != nil && f.given(name):
	default:
		if f != nil && name == hostLabel {
			f.host = value
		}
		h.builder.Add(name, value)
	}
}

// intern ends the section: the one Series of these labels.
func (h *host) intern() (*Series, error) {
	if !h.named { // before anything is built: a body may have millions of these
		return nil, errNoName
	}
	own, err := &h.own, error(nil)
	if h.foreign == nil {
		h.identify()
	} else if own, err = h.identifyForeign(); err != nil {
		return nil, err
	}
	h.builder.Sort()
	ls := h.builder.Labels()
	name := ls.Get(metricName)
	hash := ls.Hash()
	for s := h.table[hash]; s != nil; s = s.next {
		if labels.Equal(s.Labels, ls) {
			s.seen = h.gen
			return s, nil
		}
	}
	if err := h.room(own, name); err != nil {
		return nil, err
	}
	s := &Series{Labels: ls, Host: own.host, owner: own, hash: hash, seen: h.gen, next: h.table[hash]}
	switch {
	case h.foreign != nil:
		s.Fact, s.Component = ForeignFact(name, ls)
	case name == upName:
		s.Fact, s.Component = FactHost, h.id.instance
	case name == checkStateName:
		if c := ls.Get("component"); c != "" {
			s.Fact, s.Component = FactCheck, c
		}
	}
	h.table[hash] = s
	h.active++
	own.active++
	return s, nil
}

// room tells whether the owner may have one series more.
func (h *host) room(own *owner, name string) error {
	h.refused, h.because = name, own
	switch {
	case h.limits.SeriesPerHost > 0 && own.active >= h.limits.SeriesPerHost:
		return errSeriesLimit
	case h.foreign != nil && h.limits.SeriesPerSender > 0 && h.active >= h.limits.SeriesPerSender:
		h.because = nil
		return errSeriesLimit
	case !own.spend(h.limits, h.now):
		return errNewSeries
	}
	return nil
}

func (h *host) identify() {
	for _, l := range [...]labels.Label{{Name: "job", Value: h.id.job}, {Name: "instance", Value: h.id.instance}, {Name: "customer", Value: h.id.customer}} {
		if l.Value != "" {
			h.builder.Add(l.Name, l.Value)
		}
	}
}
