package availability

import (
	"fmt"
	"math"
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
	tree, err := newModel(e, w.agreement().Zone).tree(w.catalogue.Services[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	s := tree.structure(in.AsOf - 1)
	if x := s.importance(len(s.parts)-1, []float64{0.9, 0.9, 0.9, 0.9}); math.Abs(x-0.972) > 1e-9 {
		t.Errorf("importance of the database %v", x)
	}
}
