package ledger

import (
	"context"
	"fmt"
	"testing"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// BenchmarkCheckpoint is the fold's checkpoint of 1000 hosts with three
// components each: all of them have grown.
func BenchmarkCheckpoint(b *testing.B) {
	l, ctx := onSQLiteB(b), context.Background()
	f := Fold{Seen: map[string]Seen{}}
	for i := range 3000 {
		f.Put = append(f.Put, streak(fmt.Sprint("c", i), "x", availability.Up, 0, 10))
	}
	for b.Loop() {
		f.Position++
		for i := range f.Put {
			f.Put[i].Last += 10
		}
		if err := l.ApplyFold(ctx, f); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad reads 100 000 streaks, as the fold does when it starts.
func BenchmarkLoad(b *testing.B) {
	l, ctx := onSQLiteB(b), context.Background()
	var f Fold
	for i := range int64(100_000) {
		f.Put = append(f.Put, streak(fmt.Sprint("c", i%1000), "x", availability.Up, i*10, i*10+5))
	}
	if err := l.ApplyFold(ctx, f); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got, err := l.Streaks(ctx, nil, -1<<60, 1<<60)
		if err != nil || len(got) != 1000 {
			b.Fatal(len(got), err)
		}
	}
}

// BenchmarkHost is what the receiver asks about each host every 30 s.
func BenchmarkHost(b *testing.B) {
	l, ctx := onSQLiteB(b), context.Background()
	if err := l.EnrolToken(ctx, "t", Token{ExpiresAt: noon.AddDate(100, 0, 0).UnixMilli(), Uses: 1}); err != nil {
		b.Fatal(err)
	}
	if _, err := l.Enrol(ctx, Enrolment{Token: "t", Host: Host{ID: "h", Instance: "web-1"}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := l.HostByID(ctx, "h"); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Denied(ctx, "h", 0); err != nil {
			b.Fatal(err)
		}
	}
}
