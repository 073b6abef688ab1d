package figures

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

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
	all, err := e.monthsOf(s.agreed, s.streaks, t)
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
// it, as far as they went before it. Their order does not matter: it is the sum
// of what each comes to.
func (s *snapshot) fingerprint(t int64) uint64 {
	var whole uint64
	var text []byte
	for _, list := range s.streaks {
		for i := range list {
			k := &list[i]
			if k.First >= t {
				continue
			}
			text = binary.LittleEndian.AppendUint64(text[:0], uint64(k.First))
			text = binary.LittleEndian.AppendUint64(text, uint64(min(k.Last, t)))
			text = binary.LittleEndian.AppendUint64(text, uint64(k.Hold))
			text = append(text, byte(k.State))
			text = append(append(text, k.Component...), 0)
			whole += xxhash.Sum64(append(text, k.Observer...))
		}
	}
	return whole
}
