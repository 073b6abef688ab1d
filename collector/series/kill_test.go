package series

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
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
		if uint64(pos)%16 == 0 { // the store keeps up, roughly
			_ = s.Await(ctx, pos-min(pos, 64))
		}
	}
}

// TestKill kills a process that appends and compacts, at random moments, and
// each time takes the store up again: every acknowledged sample is there, once.
func TestKill(t *testing.T) {
	rounds := 6
	if v := os.Getenv("PLIMSOLL_SOAK"); v != "" {
		rounds = 80
	}
	dir, seed := t.TempDir(), uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	next := t0
	for round := range rounds {
		next = killOnce(t, dir, next, time.Duration(200+random.IntN(1200))*time.Millisecond)
		began := time.Now()
		checkKilled(t, dir, next)
		t.Logf("round %d: %d samples acknowledged, taken up in %v", round, (next-t0)/1000*killSeries, time.Since(began).Round(time.Millisecond))
		if t.Failed() {
			return
		}
	}
}

// killOnce runs a child from the time from for d and gives the first time
// that was not acknowledged.
func killOnce(t *testing.T, dir string, from int64, d time.Duration) int64 {
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
	timer := time.AfterFunc(d, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if ts, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
			from = ts + 1000
		}
	}
	_ = cmd.Wait() // it was killed
	return from
}

// checkKilled opens what the child left and compares all samples. One record
// more than was acknowledged may be in the journal: its answer was cut off.
func checkKilled(t *testing.T, dir string, next int64) {
	t.Helper()
	j, s, err := openKilled(dir, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, &journalFeed{journal: j, series: killFleet()}) }()
	running{Store: s}.until(t, j.Last())
	got, want := dump(t, s), history{}
	for ts := t0; ts < next; ts += 1000 {
		for _, sm := range killSamples(killRecord(ts), killFleet()) {
			want[key{sm.Series.Labels.String(), sm.T}] = sm.V
		}
	}
	for _, sm := range killSamples(killRecord(next), killFleet()) {
		k := key{sm.Series.Labels.String(), sm.T}
		if v, ok := got[k]; ok {
			want[k] = v
		}
	}
	equal(t, got, want)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
