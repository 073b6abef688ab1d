package journal

import (
	"os"
	"slices"
	"time"
)

// Loss is a run of records that can no longer be read.
type Loss struct {
	Records  uint64
	From, To Position // inclusive
	// Of names what From and To count where they are no positions of this
	// journal: a record that told of a loss elsewhere was dropped (Rescue).
	Of           string
	FromAt, ToAt time.Time // appends in it lie between these; zero where unknown
	Bytes        int64     // of the files or bytes given up
	Reason       string
}

// Why records were lost.
const (
	ReasonFull    = "dropped oldest: full"
	ReasonAged    = "aged out"
	ReasonNoSpace = "no space"
	ReasonDamaged = "damaged record"
	ReasonMissing = "missing" // known to have been there: a file or the end of one vanished
)

// maxLosses bounds what is kept for TakeLosses; beyond it the latest are merged.
const maxLosses = 256

// span is a run of positions, inclusive.
type span struct{ from, to Position }

// TakeLosses returns what was lost since the last call, oldest first. After a
// crash a loss already taken may be told once more, with the same positions.
func (j *Journal) TakeLosses() []Loss {
	j.mu.Lock()
	defer j.mu.Unlock()
	taken := j.losses
	j.losses = nil
	return taken
}

// ReturnLosses gives back what TakeLosses returned and could not be told: the
// next call returns it again, and a restart does not forget it.
func (j *Journal) ReturnLosses(untold []Loss) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.losses = append(slices.Clone(untold), j.losses...)
}

// lose notes a loss. mu is held.
func (j *Journal) lose(l Loss) {
	if l.Records == 0 {
		return
	}
	j.stats.Dropped += l.Records
	if n := len(j.losses); n > 0 {
		p := &j.losses[n-1]
		adjacent := l.From == p.To+1
		if l.Reason == p.Reason && p.Of == "" && p.From > 0 && (adjacent || n >= maxLosses && l.From > p.To) {
			p.Records += l.Records
			p.Bytes += l.Bytes
			p.To, p.ToAt = l.To, l.ToAt
			return
		}
	}
	j.losses = append(j.losses, l)
}

// rescue asks for the losses that the records of s behind after told of, which
// is about to go. What cannot be read is not rescued. commitMu is held.
func (j *Journal) rescue(s *segment, after Position) (rescued []Loss) {
	if j.opt.Rescue == nil || s.records == 0 || s.last <= after {
		return nil
	}
	f, err := j.fs.OpenFile(j.path(segmentName(s.first)), os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	scan := scanner{src: f, end: s.size, prev: s.first - 1, max: s.last, maxRecord: maxRecordLength}
	for {
		r, _, _, ok := scan.next()
		if !ok {
			return rescued
		}
		if r.Pos > after {
			rescued = append(rescued, j.opt.Rescue(r)...)
		}
	}
}

// retell takes losses up again that had been told by a record that goes,
// joining those that continue each other. They were counted before. mu is held.
func (j *Journal) retell(rescued []Loss) {
	for _, l := range rescued {
		at := slices.IndexFunc(j.losses, func(p Loss) bool {
			return p.Reason == l.Reason && p.Of == l.Of && (p.From == 0 && l.From == 0 || p.From > 0 && l.From == p.To+1)
		})
		if at < 0 {
			j.losses = append(j.losses, l)
			continue
		}
		p := &j.losses[at]
		p.Records, p.Bytes, p.To = p.Records+l.Records, p.Bytes+l.Bytes, l.To
		if l.FromAt.Before(p.FromAt) {
			p.FromAt = l.FromAt
		}
		if l.ToAt.After(p.ToAt) {
			p.ToAt = l.ToAt
		}
	}
}

// loseSegment notes what goes with a segment that was not read by every
// cursor. mu is held.
func (j *Journal) loseSegment(s *segment, reason string) {
	from := s.first
	if pos, ok := j.slowest(); ok {
		from = max(from, pos+1)
	}
	if s.records == 0 || from > s.last {
		return
	}
	lost := s.records
	if from > s.first {
		lost = min(lost, uint64(s.last-from+1)-j.holesIn(from, s.last))
	}
	j.lose(Loss{Records: lost, From: from, To: s.last, Bytes: s.size, Reason: reason,
		FromAt: fromMillis(s.firstAt), ToAt: fromMillis(s.lastAt)})
}

// slowest returns the smallest position of a cursor. mu is held.
func (j *Journal) slowest() (pos Position, ok bool) {
	for _, c := range j.cursors {
		if !ok || c.pos < pos {
			pos, ok = c.pos, true
		}
	}
	return pos, ok
}

// holesIn counts the damaged positions from from to to. mu is held.
func (j *Journal) holesIn(from, to Position) uint64 {
	var n uint64
	for _, h := range j.holes {
		if a, b := max(h.from, from), min(h.to, to); a <= b {
			n += uint64(b - a + 1)
		}
	}
	return n
}

// newHole notes that the positions of h are damaged and returns the parts of
// it that were not known yet. mu is held.
func (j *Journal) newHole(h span) []span {
	fresh := []span{h}
	for _, known := range j.holes {
		var rest []span
		for _, f := range fresh {
			if known.to < f.from || known.from > f.to {
				rest = append(rest, f)
				continue
			}
			if f.from < known.from {
				rest = append(rest, span{f.from, known.from - 1})
			}
			if f.to > known.to {
				rest = append(rest, span{known.to + 1, f.to})
			}
		}
		fresh = rest
	}
	j.holes = append(j.holes, fresh...)
	slices.SortFunc(j.holes, func(a, b span) int { return int(min(max(int64(a.from)-int64(b.from), -1), 1)) })
	return fresh
}

// forgetHoles drops the holes of segments that are gone. mu is held.
func (j *Journal) forgetHoles() {
	j.holes = slices.DeleteFunc(j.holes, func(h span) bool { return h.to < j.floor })
}

// damage is a run of bytes in which no record could be read.
type damage struct {
	seg        *segment
	file       File
	off, bytes int64
	lost       span // positions that must have been there; empty when from > to
	fromAt     time.Time
	toAt       time.Time
}

// damaged counts d once, copies its bytes to quarantine and returns the name of
// the copy, if one was made, and the records newly lost.
func (j *Journal) damaged(d damage) (name string, lost uint64) {
	if d.lost.from > d.lost.to {
		return "", 0
	}
	j.mu.Lock()
	for _, h := range j.newHole(d.lost) {
		n := uint64(h.to - h.from + 1)
		lost += n
		j.lose(Loss{Records: n, From: h.from, To: h.to, FromAt: d.fromAt, ToAt: d.toAt,
			Bytes: d.bytes, Reason: ReasonDamaged})
	}
	j.mu.Unlock()
	if lost == 0 {
		return "", 0
	}
	name = j.quarantine(d)
	if name != "" {
		j.mu.Lock()
		j.stats.Quarantined++
		j.mu.Unlock()
	}
	return name, lost
}
