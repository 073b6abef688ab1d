package damage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// open opens the list at path as a start of the collector does.
func open(t *testing.T, path string) *List {
	t.Helper()
	l, err := Open(path, time.UnixMilli(9000))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "damage.json")
	l := open(t, path)
	for _, r := range []Range{
		{Store: Series, What: "a", From: 100, To: 200, Found: 1000},
		{Store: Series, What: "a", From: 100, To: 200, Found: 1500}, // told again after a crash
		{Store: Journal, What: "a", From: 0, To: 50, Found: 2000},
	} {
		if err := l.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		from, to, asOf int64
		want           int
	}{
		{100, 200, 5000, 1},
		{199, 300, 5000, 1},
		{200, 300, 5000, 0}, // the end is excluded
		{60, 100, 5000, 0},
		{0, 1000, 5000, 2},
		{0, 1000, 1999, 1}, // the second was not known yet
		{-100, 1, 5000, 1}, // from the beginning
	}
	for _, l := range []*List{l, open(t, path)} {
		for _, row := range rows {
			if got := l.In(row.from, row.to, row.asOf); len(got) != row.want {
				t.Errorf("[%d, %d) as of %d: got %v, want %d", row.from, row.to, row.asOf, got, row.want)
			}
		}
	}
}

// TestDamagedList: whatever happens to the file, the list opens, and either it
// is what it was or it says that nobody knows.
func TestDamagedList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "damage.json")
	if err := open(t, path).Add(Range{Store: Series, What: "a", From: 100, To: 200, Found: 1000}); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sound {
		for name, text := range map[string]string{"cut": string(sound[:i]), "flipped": string(sound[:i]) + string(sound[i]^1) + string(sound[i+1:])} {
			if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
				t.Fatal(err)
			}
			got := open(t, path).In(0, 5000, 9000)
			kept := len(got) == 1 && got[0] == Range{Store: Series, What: "a", From: 100, To: 200, Found: 1000}
			unknown := len(got) == 1 && got[0].From == 0 && got[0].To == 9000 && strings.Contains(got[0].Cause, "damaged itself")
			if !kept && !unknown {
				t.Fatalf("%s at %d: got %+v", name, i, got)
			}
		}
	}
}

// TestBounded: beyond the bound the oldest become one that covers them.
func TestBounded(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "damage.json"))
	for i := range int64(maxRanges) {
		l.ranges = append(l.ranges, Range{Store: Series, What: "x", From: i * 10, To: i*10 + 5, Found: i, Lost: 1})
	}
	if err := l.Add(Range{Store: Series, What: "new", From: 1, To: 2, Found: 5000, Lost: 1}); err != nil {
		t.Fatal(err)
	}
	if n := len(l.ranges); n != maxRanges {
		t.Errorf("%d ranges, want %d", n, maxRanges)
	}
	if first := l.ranges[0]; first.From != 0 || first.To != 15 || first.Lost != 2 {
		t.Errorf("the oldest two are %+v, want 0 to 15, 2 lost", first)
	}
}
