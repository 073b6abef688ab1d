package catalogue

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEveryKey: the catalogue that has every key of the specification at
// least once is read.
func TestEveryKey(t *testing.T) {
	data := read(t, "testdata/every-key.yaml")
	c, faults := Parse("every-key.yaml", data)
	if faults != nil {
		t.Fatal(faults)
	}
	a := c.Availability
	if len(a.Calendars) != 2 || len(a.Calendars["desk"].Versions) != 2 || len(a.Components) != 3 || len(a.Services) != 2 || len(a.Agreements) != 1 ||
		len(a.Windows) != 2 || len(a.Adjustments) != 1 || len(c.Checks) != 5 || len(c.Hash) != 64 || string(c.Source) != string(data) {
		t.Errorf("got %+v", a)
	}
	first := a.Agreements[0]
	if first.Notice != 24*3600_000 || first.Cap.Length != 8*3600_000 || first.Indicators[0].Target.RatString() != "999/1000" ||
		first.Indicators[1].Target.RatString() != "7200" || first.Limit().RatString() != "19/20" || first.Zone.String() != "Asia/Shanghai" {
		t.Errorf("agreement: got %+v", first)
	}
	if len(a.Contracts) != 1 || a.Contracts[0].Supplier != "NetCo" || len(a.Contracts[0].Components) != 2 || a.Contracts[0].Terms.Number != "UC-2026-01" ||
		a.Contracts[0].Terms.Indicators[1].Target.RatString() != "14400" {
		t.Errorf("contracts: got %+v", a.Contracts)
	}
	if need := a.Services[1].Needs; need.AtLeast != 2 || need.Of[0].Name != "a" || need.Of[1].AtLeast != 1 || need.Of[1].Of[0].Name != "storage" {
		t.Errorf("tree: got %+v", need)
	}
}

func TestResources(t *testing.T) {
	c, faults := Parse("r.yaml", []byte(`
resources:
  - name: filesystem
    kind: technical
    unit: bytes
    per: [instance, mountpoint]
    used: a - b
    limit: a
    warning: 80%
    critical: 90%
    clear: 75%
    for: 15m
`))
	if faults != nil {
		t.Fatal(faults)
	}
	r := c.Resources[0]
	if r.Name != "filesystem" || r.Warning != 0.8 || r.Critical != 0.9 || r.Clear != 0.75 || r.For.Minutes() != 15 || len(r.Per) != 2 {
		t.Errorf("got %+v", r)
	}
	if err := r.Check(); err != nil {
		t.Errorf("what is read must satisfy the arithmetic: %v", err)
	}
}

// TestEmpty: a catalogue with nothing in it is a good one.
func TestEmpty(t *testing.T) {
	if c, faults := Parse("empty.yaml", nil); faults != nil || len(c.Availability.Agreements) != 0 {
		t.Errorf("got %+v, %v", c, faults)
	}
}

// TestFaults: one file for each rule in testdata/bad, with the exact message
// beside it.
func TestFaults(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d fixtures, %v", len(names), err)
	}
	for _, name := range names {
		c, faults := Parse(filepath.Base(name), read(t, name))
		if c != nil || len(faults) == 0 {
			t.Errorf("%s: no fault found", name)
			continue
		}
		got := faults.Error() + "\n"
		golden := strings.TrimSuffix(name, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := string(read(t, golden)); got != want {
			t.Errorf("%s\n got %swant %s", name, got, want)
		}
	}
}

// FuzzParse: no text makes the reader fall over; what it accepts it accepts
// again from the kept source, with the same hash.
func FuzzParse(f *testing.F) {
	f.Add(string(read(f, "testdata/every-key.yaml")))
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		f.Add(string(read(f, name)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, faults := Parse("f.yaml", []byte(text))
		if (c == nil) != (len(faults) > 0) {
			t.Fatalf("catalogue %v with faults %v", c, faults)
		}
		if c == nil {
			return
		}
		if again, faults := Parse("f.yaml", c.Source); faults != nil || again.Hash != c.Hash {
			t.Fatalf("not accepted again: %v", faults)
		}
	})
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
