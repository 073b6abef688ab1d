package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
)

// seen is a store with facts: host a is up for three hours, check shop goes
// down in the second, host b has delivered late.
func seen(t *testing.T) running {
	feed := newTape()
	opts := small(t, t.TempDir(), feed, nowAt(t0))
	opts.OutOfOrder = 24 * time.Hour
	s := start(t, opts, feed)
	up := func(instance string) *batch.Series {
		return &batch.Series{Labels: labels.FromStrings(nameLabel, upName, "instance", instance), Fact: batch.FactHost}
	}
	check := &batch.Series{Labels: labels.FromStrings(nameLabel, checkStateName, "instance", "a", "component", "shop"), Fact: batch.FactCheck}
	a, b := up("a"), up("b")
	other := &batch.Series{Labels: labels.FromStrings(nameLabel, "node_load1", "instance", "a")}
	for m := int64(0); m < 180; m += 30 {
		at := t0 + m*60_000
		v := 1.0
		if m >= 60 && m < 120 {
			v = 0
		}
		feed.append(batch.Sample{Series: a, T: at, V: 1}, batch.Sample{Series: check, T: at + 1, V: v}, batch.Sample{Series: other, T: at, V: 7})
	}
	last := feed.append(batch.Sample{Series: b, T: t0 + 60*60_000, V: 0.5})
	s.until(t, last)
	return s
}

func TestFactsComeInOrderOfTime(t *testing.T) {
	s := seen(t)
	if err := s.Compact(context.Background()); err != nil { // some in blocks, some in the head
		t.Fatal(err)
	}
	var got []string
	err := s.Facts(context.Background(), t0, t0+150*60_000+1, func(f availability.Fact) error {
		got = append(got, fmt.Sprintf("%3dm+%dms %s by %s %s", (f.At-t0)/60_000, (f.At-t0)%60_000, f.Component, f.Observer, f.State))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `
  0m+0ms a by a up
  0m+1ms shop by a up
 30m+0ms a by a up
 30m+1ms shop by a up
 60m+0ms a by a up
 60m+0ms b by b degraded
 60m+1ms shop by a down
 90m+0ms a by a up
 90m+1ms shop by a down
120m+0ms a by a up
120m+1ms shop by a up
150m+0ms a by a up`
	if diff := cmp.Diff(strings.Split(want, "\n")[1:], got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	stop := errors.New("enough")
	if err := s.Facts(context.Background(), 0, t0*2, func(availability.Fact) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of each", err)
	}
}

func TestFactsBetween(t *testing.T) {
	s := seen(t)
	for _, tc := range []struct {
		component, observer string
		from, to            int64 // minutes
		want                string
	}{
		{"shop", "a", 60, 180, "60 down, 90 down, 120 up, 150 up"},
		{"a", "a", 30, 60, "30 up, 60 up"},
		{"b", "b", 0, 180, "60 degraded"},
		{"shop", "b", 0, 180, ""},
		{"a", "b", 0, 180, ""},
	} {
		facts, err := s.FactsBetween(context.Background(), tc.component, tc.observer, t0+tc.from*60_000, t0+tc.to*60_000)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range facts {
			got = append(got, fmt.Sprintf("%d %s", (f.At-t0)/60_000, f.State))
		}
		if g := strings.Join(got, ", "); g != tc.want {
			t.Errorf("%s by %s in %d to %d: %q, want %q", tc.component, tc.observer, tc.from, tc.to, g, tc.want)
		}
	}
}

func TestInstantAndRange(t *testing.T) {
	s := seen(t)
	p := NewPromQL(Merge(s), Limits{}, slog.New(slog.DiscardHandler), nil)
	ctx, at := context.Background(), time.UnixMilli(t0+150*60_000).UTC()
	values, err := p.Instant(ctx, "up", at)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 1 || values[0].Labels.Get("instance") != "a" || values[0].V != 1 {
		t.Errorf("up = %v, want one value of a", values)
	}
	if v, err := p.Instant(ctx, "1+1", at); err != nil || len(v) != 1 || v[0].V != 2 {
		t.Errorf("1+1 = %v, %v", v, err)
	}
	lines, err := p.Range(ctx, `plimsoll_check_state`, time.UnixMilli(t0), at, 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// Evaluated a millisecond before each fact: the one of 30 minutes ago is stale.
	if len(lines) != 0 {
		t.Errorf("got %v, want gaps alone", lines)
	}
	lines, err = p.Range(ctx, `plimsoll_check_state`, time.UnixMilli(t0+1), at.Add(time.Millisecond), 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, pt := range lines[0].Points {
		got = append(got, pt.V)
	}
	if diff := cmp.Diff([]float64{1, 1, 0, 0, 1, 1}, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"up{", `"text"`, "up[5m]"} {
		if v, err := p.Instant(ctx, bad, at); err == nil {
			t.Errorf("Instant(%q) = %v, want an error", bad, v)
		}
	}
}

func TestTurnsAreBounded(t *testing.T) {
	turns := newTurns(2)
	ctx, cancel := context.WithCancel(context.Background())
	for range 2 {
		if _, err := turns.Insert(ctx, "up"); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := turns.Insert(ctx, "up"); err == nil {
		t.Error("a third query had its turn")
	}
	turns.Delete(0)
	if _, err := turns.Insert(context.Background(), "up"); err != nil {
		t.Error(err)
	}
}
