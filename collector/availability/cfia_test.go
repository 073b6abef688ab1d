package availability

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestImpacts: two of three web servers and one database, each component down
// a tenth of the day. Birnbaum by hand: the database counts while two of the
// three are up, 0.972; a server while the database and exactly one of the
// other two are up, 0.9 x 2 x 0.9 x 0.1 = 0.162.
func TestImpacts(t *testing.T) {
	w := newWorld(t, "UTC", "web-1", "web-2", "web-3", "db")
	w.catalogue.Services[0].Needs = Need{AtLeast: 2, Of: []Need{{AtLeast: 2, Of: []Need{{Name: "web-1"}, {Name: "web-2"}, {Name: "web-3"}}}, {Name: "db"}}}
	w.from, w.to = "2026-06-10", "2026-06-11"
	for _, name := range []string{"web-1", "web-2", "web-3", "db"} {
		w.sees(name, "2026-06-10 00:00 up", "2026-06-10 04:00 down", "2026-06-10 06:24 up")
	}
	in := w.input()
	in.AsOf = w.ms("2026-06-11 00:00")
	all, err := Impacts(in, w.catalogue.Services[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range all {
		got[i.Component] = fmt.Sprintf("%s %.3f %v", i.Effect, i.Birnbaum, i.DownS)
	}
	for name, want := range map[string]string{"web-1": "A 0.162 8640", "web-2": "A 0.162 8640", "web-3": "A 0.162 8640", "db": "X 0.972 8640"} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	// Drawing gives the same as looking at all combinations.
	e := newEvaluation(in)
	tree, err := newModel(e, w.agreement().Zone).tree(w.catalogue.Services[0].Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := tree.structure(in.Catalogue, in.AsOf-1)
	if x := s.importance(len(s.parts)-1, []float64{0.9, 0.9, 0.9, 0.9}); math.Abs(x-0.972) > 1e-9 {
		t.Errorf("importance of the database %v", x)
	}
}

// TestImpactMatrix: each row is a tree and what stands by in it, and the
// letters its components get, worked out by hand.
func TestImpactMatrix(t *testing.T) {
	any := func(names ...string) Need {
		n := Need{AtLeast: 1}
		for _, name := range names {
			n.Of = append(n.Of, Need{Name: name})
		}
		return n
	}
	all := func(needs ...Need) Need { return Need{AtLeast: len(needs), Of: needs} }
	for _, c := range []struct {
		what    string
		needs   Need
		standby map[string]int64 // takeover in minutes
		want    string
	}{
		{"one alone", all(Need{Name: "a"}), nil, "a X"},
		{"two that work side by side", any("a", "b"), nil, "a A, b A"},
		{"b is put in place of a in 15 min; b itself stands by", any("a", "b"), map[string]int64{"b": 15}, "a B 900, b A"},
		{"c in 30 min, b in 15: the quickest counts", any("a", "b", "c"), map[string]int64{"b": 15, "c": 30}, "a B 900, b A, c A"},
		{"b works beside a, c stands by: nobody waits for c", any("a", "b", "c"), map[string]int64{"c": 30}, "a A, b A, c A"},
		{"two of three are needed, c is put in place in 5 min: two that work are no redundancy without it", Need{AtLeast: 2, Of: []Need{{Name: "a"}, {Name: "b"}, {Name: "c"}}}, map[string]int64{"c": 5}, "a B 300, b B 300, c A"},
		{"a standby does not help a part that has none", all(Need{Name: "d"}, any("a", "b")), map[string]int64{"b": 15}, "d X, a B 900, b A"},
		{"a single point stays one, though it takes long to put in place", all(Need{Name: "a"}), map[string]int64{"a": 60}, "a X"},
	} {
		w := newWorld(t, "UTC", "a", "b", "c", "d")
		w.catalogue.Services[0].Needs = c.needs
		for i := range w.catalogue.Components {
			w.catalogue.Components[i].Takeover = c.standby[w.catalogue.Components[i].Name] * 60_000
		}
		w.from, w.to = "2026-06-10", "2026-06-11"
		in := w.input()
		in.AsOf = w.ms("2026-06-11 00:00")
		impacts, err := Impacts(in, w.catalogue.Services[0].Name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range impacts {
			text := i.Component + " " + i.Effect
			if i.DelayS > 0 {
				text += fmt.Sprintf(" %v", i.DelayS)
			}
			got = append(got, text)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.what, s, c.want)
		}
	}
}
