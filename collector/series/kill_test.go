package series

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
)

// childEnv names the directory of a child process of TestKill.
const childEnv = "PLIMSOLL_SERIES_KILL_DIR"

const (
	killSeries = 40
	killLate   = 8 // of them deliver twenty minutes late
)

// killRecord is a record of the test's journal: a time and a salt, from which
// the samples of all series follow.
func killRecord(ts int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(ts)) }

func killSamples(rec []byte, series []*batch.Series) []batch.Sample {
	ts := int64(binary.LittleEndian.Uint64(rec))
	out := make([]batch.Sample, len(series))
	for i, s := range series {
		at := ts
		if i < killLate {
			at -= 20 * time.Minute.Milliseconds()
		}
		out[i] = batch.Sample{Series: s, T: at, V: float64(at%100_000) + float64(i)/100}
	}
	return out
}

func killFleet() []*batch.Series {
	var series []*batch.Series
	for i := range killSeries {
		series = append(series, newSeries("m", i))
	}
	return series
}

// journalFeed decodes the records of a real journal.
type journalFeed struct {
	journal *journal.Journal
	reader  *journal.Reader
	series  []*batch.Series
}

func (f *journalFeed) Next(ctx context.Context, after journal.Position) (*batch.Batch, error) {
	if f.reader == nil {
		f.reader = f.journal.NewReader(after)
	}
	rec, err := f.reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	return &batch.Batch{Pos: rec.Pos, Samples: killSamples(rec.Data, f.series)}, nil
}

func openKilled(dir string, log *slog.Logger) (*journal.Journal, *Store, error) {
	j, _, err := journal.Open(journal.Options{Dir: filepath.Join(dir, "journal"), SegmentBytes: 64 << 10, WhenFull: journal.Refuse})
	if err != nil {
		return nil, nil, err
	}
	s, err := Open(Options{Dir: filepath.Join(dir, "series"), Journal: j, Log: log, BlockRange: time.Minute,
		OutOfOrder: time.Hour, Retention: 1000 * time.Hour, CheckEvery: time.Hour,
		Now: func() time.Time { return time.UnixMilli(math.MaxInt64 / 2) }})
	return j, s, err
}

// child appends to a journal as fast as it can, compacts without pause, trims
// the journal, and prints each time that was acknowledged. It never ends.
func child(dir string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	j, s, err := openKilled(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return fail(err)
	}
	ctx := context.Background()
	go func() { fmt.Fprintln(os.Stderr, s.Run(ctx, &journalFeed{journal: j, series: killFleet()})) }()
	go func() {
		for {
			if err := s.Compact(ctx); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			_, _ = j.Trim(s.SafeTrim())
		}
	}()
	next, err := strconv.ParseInt(os.Getenv("PLIMSOLL_SERIES_KILL_FROM"), 10, 64)
	if err != nil {
		return fail(err)
	}
	for ; ; next += 1000 {
		pos, err := j.Append(killRecord(next))
		if err != nil {
			return fail(err)
		}
		fmt.Println(next)
		_ = s.Await(ctx, pos-min(pos, 64))
		// No faster than compactions: a head that is always ripe is compacted
		// without an end, and the cursor would never move.
		<-time.After(8 * time.Millisecond)
	}
}

// TestKill kills a process that appends, a fifth of it late, and compacts
// without a pause, at random moments, and each time takes the store up again:
// every acknowledged sample is there, once, and nothing is left over that grows
// from kill to kill.
func TestKill(t *testing.T) {
	rounds, random, dir := need.Rounds(t, 10, 100), need.Random(t), t.TempDir()
	next, heads, upTo := t0, []int64{}, journal.Position(0)
	for round := range rounds {
		next = killOnce(t, dir, next, time.Duration(300+random.IntN(1700))*time.Millisecond, func(*exec.Cmd) {})
		began := time.Now()
		upTo = checkKilled(t, dir, next)
		heads = append(heads, leftOver(t, filepath.Join(dir, "series")))
		t.Logf("round %d: %d samples acknowledged, taken up in %v, %d bytes in chunks_head", round, (next-t0)/1000*killSeries,
			time.Since(began).Round(time.Millisecond), heads[round])
		if t.Failed() {
			return
		}
	}
	if upTo == 0 && rounds >= 4 {
		t.Error("no compaction ever ended: this showed nothing")
	}
	if rounds < 4 {
		return
	}
	early, late := slices.Max(heads[:len(heads)/2]), slices.Max(heads[len(heads)/2:])
	if late > 2*early+1<<20 {
		t.Errorf("chunks_head grows: at most %d bytes in the first half of the kills, %d in the second", early, late)
	}
}

// TestPowerCut is TestKill with the power: journal, blocks and cursor lie on
// an ext4 that loses what was not fsynced.
func TestPowerCut(t *testing.T) {
	disk := need.NewDisk(t, 512)
	rounds, random := need.Rounds(t, 10, 300), need.Random(t)
	dir, next := filepath.Join(disk.Path, "data"), t0
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	syscall.Sync()
	for range rounds {
		next = killOnce(t, dir, next, time.Duration(300+random.IntN(1700))*time.Millisecond, func(*exec.Cmd) { disk.Cut(t) })
		disk.PowerOn(t)
		checkKilled(t, dir, next)
		_ = leftOver(t, filepath.Join(dir, "series"))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d power cuts, %d samples acknowledged, none missing, wrong or double", rounds, (next-t0)/1000*killSeries)
}

// leftOver checks that no half-made block outlived the last opening and
// returns the size of chunks_head.
func leftOver(t *testing.T, dir string) (head int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".cursor.tmp" { // of a replacement that was cut off: the next one takes the same name
			continue
		}
		if strings.Contains(e.Name(), ".tmp") || e.Name() == quarantineDir {
			t.Errorf("left over: %s", e.Name())
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "chunks_head", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			head += info.Size()
		}
	}
	return head
}

// killOnce runs a child from the time from for d, strikes, kills it, and gives
// the first time that was not acknowledged before the strike.
func killOnce(t *testing.T, dir string, from int64, d time.Duration, strike func(*exec.Cmd)) int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, "PLIMSOLL_SERIES_KILL_FROM="+strconv.FormatInt(from, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var next atomic.Int64
	next.Store(from)
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if ts, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
				next.Store(ts + 1000)
			}
		}
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	acknowledged := next.Load()
	strike(cmd)
	_ = cmd.Process.Kill()
	<-read
	_ = cmd.Wait() // it was killed
	return acknowledged
}

// checkKilled opens what the child left and compares all samples. Records
// behind those acknowledged may be in the journal: their answers were cut off.
// It returns how far blocks are known to reach.
func checkKilled(t *testing.T, dir string, next int64) (blocksUpTo journal.Position) {
	t.Helper()
	j, s, err := openKilled(dir, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	feed := &journalFeed{journal: j, series: killFleet()}
	go func() { done <- s.Run(ctx, feed) }()
	running{Store: s}.until(t, j.Last())
	got, want := dump(t, s), history{}
	for ts := t0; ts < next; ts += 1000 {
		for _, sm := range killSamples(killRecord(ts), killFleet()) {
			want[key{sm.Series.Labels.String(), sm.T}] = sm.V
		}
	}
	for more := true; more; next += 1000 {
		more = false
		for _, sm := range killSamples(killRecord(next), killFleet()) {
			k := key{sm.Series.Labels.String(), sm.T}
			if _, more = got[k]; more {
				want[k] = sm.V
			}
		}
	}
	equal(t, got, want)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if feed.reader != nil {
		_ = feed.reader.Close()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return s.cursor.Position
}
