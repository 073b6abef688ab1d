package silence

import (
	"testing"

	"github.com/plimsoll/plimsoll/internal/wire"
)

func start(at, alive, booted int64, clean bool, reason string) wire.Note {
	return wire.Note{At: at, Start: &wire.StartNote{LastAlive: alive, BootedAt: booted, CleanStop: clean, Reason: reason}}
}

func TestOf(t *testing.T) {
	const alive, booted, again = 1_000_000, 400_000, 1_012_000
	for _, row := range []struct {
		name string
		note wire.Note
		want Silence // the zero value: the note says nothing about silence
	}{
		{"killed: same boot, no marker", start(again, alive, booted, false, ""), Silence{Cause: Killed, From: alive, To: again}},
		{"stopped: the marker is there", start(again, alive, booted, true, "terminated"), Silence{Cause: Stopped, From: alive, To: again, Reason: "terminated"}},
		{"stopped before a restart of the host", start(again, alive, alive+5_000, true, "terminated"), Silence{Cause: Stopped, From: alive, To: again, Reason: "terminated"}},
		{"the host was started in between, nobody knows why", start(again, alive, alive+5_000, false, ""), Silence{Cause: Crashed, From: alive, To: again, Booted: alive + 5_000}},
		{"the host was shut down and started", start(again, alive, alive+5_000, true, wire.ReasonShutdown), Silence{Cause: Rebooted, From: alive, To: again, Booted: alive + 5_000}},
		{"the boot is not known", start(again, alive, 0, false, ""), Silence{Cause: Killed, From: alive, To: again}},
		{"the first start of all", start(again, 0, booted, false, ""), Silence{}},
		{"records lost", wire.Note{At: again, Loss: &wire.LossNote{Records: 40, FromAt: alive, ToAt: alive + 9_000, Reason: "full"}}, Silence{Cause: Lost, From: alive, To: alive + 9_000, Records: 40, Reason: "full"}},
		{"records lost, nobody knows when", wire.Note{At: again, Loss: &wire.LossNote{Records: 1, Reason: "rot"}}, Silence{Cause: Lost, Records: 1, Reason: "rot"}},
		{"a check changed", wire.Note{At: again, Change: &wire.CheckChange{Component: "shop", To: "down"}}, Silence{}},
	} {
		got, ok := Of(&row.note)
		if got != row.want || ok != (row.want != Silence{}) {
			t.Errorf("%s: got %+v, %v, want %+v", row.name, got, ok, row.want)
		}
	}
}

func TestLength(t *testing.T) {
	for _, row := range []struct {
		name     string
		from, to int64
		want     int64
	}{
		{"twelve seconds", 1_000_000, 1_012_000, 12_000},
		{"the clock was set back meanwhile", 1_012_000, 1_000_000, 0},
		{"begin not known", 0, 1_000_000, 0},
	} {
		if got := (&Silence{From: row.from, To: row.to}).Length(); got != row.want {
			t.Errorf("%s: %d ms, want %d", row.name, got, row.want)
		}
	}
}

// TestLossesToldAgain: however often and in whatever pieces a loss is told,
// each record counts once.
func TestLossesToldAgain(t *testing.T) {
	numbered := func(from, to uint64) wire.Note {
		return wire.Note{At: 1, Loss: &wire.LossNote{Records: int64(to - from + 1), FromSeq: from, ToSeq: to, ToAt: int64(to)}}
	}
	missed := func(run string, from, to uint64) wire.Note {
		return wire.Note{At: 1, Loss: &wire.LossNote{Records: int64(to - from + 1), MissedRun: run, MissedFrom: from, MissedTo: to, ToAt: int64(to)}}
	}
	unknown := func(n, at int64) wire.Note { return wire.Note{At: 1, Loss: &wire.LossNote{Records: n, ToAt: at}} }
	for _, row := range []struct {
		name  string
		notes []wire.Note
		want  int64 // records
	}{
		{"once", []wire.Note{numbered(1, 5)}, 5},
		{"again with another sentence", []wire.Note{numbered(1, 5), {At: 2, Loss: &wire.LossNote{Records: 5, FromSeq: 1, ToSeq: 5, Reason: "full"}}}, 5},
		{"again and together with more", []wire.Note{numbered(1, 5), numbered(1, 8)}, 8},
		{"in pieces that overlap", []wire.Note{numbered(1, 5), numbered(4, 9), numbered(8, 10)}, 10},
		{"two pieces and the whole", []wire.Note{missed("a", 1, 2), missed("a", 3, 4), missed("a", 1, 4)}, 4},
		{"two runs count for themselves", []wire.Note{missed("a", 1, 2), missed("b", 1, 2)}, 4},
		{"numbers and counts are two things", []wire.Note{numbered(1, 2), missed("a", 1, 2)}, 4},
		{"which ones is not known: each note counts", []wire.Note{unknown(2, 7), unknown(2, 8)}, 4},
	} {
		sum := int64(0)
		for _, s := range All(row.notes) {
			sum += s.Records
		}
		if sum != row.want {
			t.Errorf("%s: %d records lost, want %d", row.name, sum, row.want)
		}
	}
}

// TestAll: a note delivered twice counts once, the newest comes first.
func TestAll(t *testing.T) {
	first, second := start(2_000, 1_000, 0, false, ""), start(5_000, 4_000, 0, true, "terminated")
	got := All([]wire.Note{first, second, first, {At: 9, Change: &wire.CheckChange{}}})
	if len(got) != 2 || got[0].Cause != Stopped || got[1].Cause != Killed {
		t.Errorf("got %+v, want the stop at 5000 and then the kill at 2000, each once", got)
	}
}
