package journal

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"
)

// index is what the file of that name holds: what Open would otherwise have to
// read all segments for. Without it everything but losses not yet told is
// found again.
//
//	plimsoll journal index 1
//	mark 4711                                  every position up to here was durable
//	floor 1001                                 everything below is gone
//	segment FIRST LAST RECORDS BYTES FIRSTAT LASTAT
//	hole FROM TO                               damaged, already counted
//	loss FROM TO RECORDS BYTES FROMAT TOAT "reason"
//	sum 1a2b3c4d                               CRC-32C of the lines before
type index struct {
	mark, floor Position
	segments    map[Position]*segment
	holes       []span
	losses      []Loss
}

const (
	indexName  = "index"
	indexTitle = "plimsoll journal index 1"
	tmpSuffix  = ".tmp"
)

func (x *index) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nmark %d\nfloor %d\n", indexTitle, x.mark, x.floor)
	for _, s := range sorted(x.segments) {
		fmt.Fprintf(&b, "segment %d %d %d %d %d %d\n", s.first, s.last, s.records, s.size, s.firstAt, s.lastAt)
	}
	for _, h := range x.holes {
		fmt.Fprintf(&b, "hole %d %d\n", h.from, h.to)
	}
	for _, l := range x.losses {
		fmt.Fprintf(&b, "loss %d %d %d %d %d %d %q", l.From, l.To, l.Records, l.Bytes,
			toMillis(l.FromAt), toMillis(l.ToAt), l.Reason)
		if l.Of != "" {
			fmt.Fprintf(&b, " %q", l.Of)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "sum %08x\n", crc32.Checksum(b.Bytes(), castagnoli()))
	return b.Bytes()
}

// decodeIndex is the inverse of encode; ok is false for anything else.
func decodeIndex(data []byte) (x index, ok bool) {
	at := bytes.LastIndex(data, []byte("sum "))
	if at < 0 || string(data[at:]) != fmt.Sprintf("sum %08x\n", crc32.Checksum(data[:at], castagnoli())) {
		return index{}, false
	}
	lines := strings.Split(strings.TrimSuffix(string(data[:at]), "\n"), "\n")
	if lines[0] != indexTitle {
		return index{}, false
	}
	x.segments = map[Position]*segment{}
	for _, line := range lines[1:] {
		if !x.decodeLine(line) {
			return index{}, false
		}
	}
	return x, true
}

func (x *index) decodeLine(line string) bool {
	kind, rest, _ := strings.Cut(line, " ")
	var texts [2]string // of a loss: why, and of what
	if kind == "loss" {
		var quoted string
		rest, quoted, _ = strings.Cut(rest, ` "`)
		quoted = ` "` + quoted
		for i := range texts {
			one, err := strconv.QuotedPrefix(strings.TrimPrefix(quoted, " "))
			if err != nil {
				return false
			}
			texts[i], _ = strconv.Unquote(one) // it is quoted
			if quoted = quoted[1+len(one):]; quoted == "" {
				break
			}
		}
		if quoted != "" {
			return false
		}
	}
	var n [6]int64
	fields := strings.Split(rest, " ")
	want := map[string]int{"mark": 1, "floor": 1, "segment": 6, "hole": 2, "loss": 6}[kind]
	if want == 0 || len(fields) != want {
		return false
	}
	for i, f := range fields {
		var err error
		if n[i], err = strconv.ParseInt(f, 10, 64); err != nil {
			return false
		}
	}
	switch kind {
	case "mark":
		x.mark = Position(n[0])
	case "floor":
		x.floor = Position(n[0])
	case "segment":
		x.segments[Position(n[0])] = &segment{first: Position(n[0]), last: Position(n[1]), records: uint64(n[2]),
			size: n[3], firstAt: n[4], lastAt: n[5], sealed: true}
	case "hole":
		x.holes = append(x.holes, span{Position(n[0]), Position(n[1])})
	case "loss":
		x.losses = append(x.losses, Loss{From: Position(n[0]), To: Position(n[1]), Records: uint64(n[2]), Bytes: n[3],
			FromAt: fromMillis(n[4]), ToAt: fromMillis(n[5]), Reason: texts[0], Of: texts[1]})
	}
	return true
}

// writeIndex replaces the index by what is true now.
func (j *Journal) writeIndex() error {
	j.indexMu.Lock()
	defer j.indexMu.Unlock()
	j.mu.Lock()
	j.forgetHoles()
	floor := j.last + 1
	if len(j.segments) > 0 {
		floor = j.segments[0].first
	}
	x := index{mark: j.last, floor: floor, holes: j.holes, losses: j.losses, segments: map[Position]*segment{}}
	for _, s := range j.segments {
		if s.sealed {
			x.segments[s.first] = s
		}
	}
	data := x.encode()
	j.mu.Unlock()
	return j.replace(indexName, data)
}

// replace writes a file so that after a crash it is the old or the new one.
func (j *Journal) replace(name string, data []byte) error {
	tmp := j.path(name + tmpSuffix)
	f, err := j.fs.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = j.fs.Rename(tmp, j.path(name))
	}
	if err != nil {
		_ = j.fs.Remove(tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := j.fs.SyncDir(j.opt.Dir); err != nil {
		return fmt.Errorf("fsync journal directory: %w", err)
	}
	return nil
}
