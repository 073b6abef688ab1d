package figures

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"io"
	"slices"
	"sync"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// row is what PromQL shows of one agreement at one instant.
type row struct {
	service, customer, agreement           string
	availability, coverage, budget, target *float64
	mtbf, mttr                             *float64
	down                                   float64
}

// memory keeps rows of instants asked about before: a board that refreshes
// asks for the same hundreds of instants each time. A row is used again only
// when everything it was computed from is the same: the catalogue, and all
// that was known at its instant, told by a fingerprint.
type memory struct {
	mu     sync.Mutex
	points map[int64]point
}

type point struct {
	agreed *availability.Catalogue
	mark   uint64
	rows   []row
}

// maxMemory bounds the instants remembered.
const maxMemory = 20_000

// rowsAt computes, or remembers, the rows of an instant at or before the snapshot's.
func (e *Engine) rowsAt(s *snapshot, t int64) ([]row, error) {
	mark := s.fingerprint(t)
	e.past.mu.Lock()
	known, ok := e.past.points[t]
	e.past.mu.Unlock()
	if ok && known.agreed == s.agreed && known.mark == mark {
		return known.rows, nil
	}
	all, err := e.monthOf(s.agreed, s.streaks, t)
	if err != nil {
		return nil, err
	}
	rows := rowsOf(all, t)
	e.past.mu.Lock()
	defer e.past.mu.Unlock()
	if len(e.past.points) >= maxMemory {
		clear(e.past.points)
	}
	e.past.points[t] = point{s.agreed, mark, rows}
	return rows, nil
}

// rowsOf makes one row per agreement: of its versions in the month, the one
// that begins last before t.
func rowsOf(all []availability.Figures, t int64) []row {
	newest := map[string]int{}
	var rows []row
	for i := range all {
		f := &all[i]
		if f.From.MS >= t {
			continue
		}
		down := CountedDown(f)
		r := row{service: f.Service, customer: f.Customer, agreement: f.Agreement, availability: f.Availability, coverage: f.Coverage,
			budget: f.BudgetS, mtbf: f.MTBFS, mttr: f.MTTRS, down: down}
		if p := Promise(f); p != nil {
			r.target = p.Target
		}
		if k, ok := newest[f.Agreement]; ok {
			if all[k].From.MS < f.From.MS {
				at := slices.IndexFunc(rows, func(r row) bool { return r.agreement == f.Agreement })
				rows[at], newest[f.Agreement] = r, i
			}
			continue
		}
		newest[f.Agreement] = i
		rows = append(rows, r)
	}
	return rows
}

// fingerprint is a hash of all that was known at t: streaks that began before
// it, as far as they went before it.
func (s *snapshot) fingerprint(t int64) uint64 {
	s.mu.Lock()
	if s.ordered == nil {
		for _, list := range s.streaks {
			s.ordered = append(s.ordered, list...)
		}
		slices.SortFunc(s.ordered, func(a, b availability.Streak) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Observer, b.Observer))
		})
	}
	ordered := s.ordered
	s.mu.Unlock()
	h := fnv.New64a()
	var b [25]byte
	for i := range ordered {
		k := &ordered[i]
		if k.First >= t {
			break
		}
		binary.LittleEndian.PutUint64(b[0:], uint64(k.First))
		binary.LittleEndian.PutUint64(b[8:], uint64(min(k.Last, t)))
		binary.LittleEndian.PutUint64(b[16:], uint64(k.Hold))
		b[24] = byte(k.State)
		_, _ = h.Write(b[:]) // a hash never fails
		_, _ = io.WriteString(h, k.Component+"\x00"+k.Observer+"\x00")
	}
	return h.Sum64()
}
