package ledger

import (
	"context"
	"slices"
	"testing"

	"github.com/plimsoll/plimsoll/collector/silence"
)

// TestAway: each row is when the collector was alive, and the gaps between.
func TestAway(t *testing.T) {
	for _, row := range []struct {
		name  string
		alive [][2]int64
		want  []silence.Span
	}{
		{"never before", nil, nil},
		{"all along", [][2]int64{{10, 20}, {10, 90}}, nil},
		{"away twice", [][2]int64{{10, 20}, {40, 50}, {60, 70}}, []silence.Span{{From: 20, To: 40}, {From: 50, To: 60}}},
		{"an end does not move back", [][2]int64{{10, 30}, {10, 20}, {40, 50}}, []silence.Span{{From: 30, To: 40}}},
		{"outside of what is asked for", [][2]int64{{10, 20}, {500, 510}, {900, 910}}, []silence.Span{{From: 20, To: 500}}},
	} {
		l := onSQLite(t)(t)
		for _, a := range row.alive {
			if err := l.Alive(context.Background(), a[0], a[1]); err != nil {
				t.Fatal(err)
			}
		}
		got, err := l.Away(context.Background(), 0, 100)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, %v, want %v", row.name, got, err, row.want)
		}
	}
}
