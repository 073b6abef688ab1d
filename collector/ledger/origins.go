package ledger

import (
	"context"
	"fmt"
)

// Source is a record of the journal: its position and when it was received.
// The zero value is not known.
type Source struct {
	Position uint64
	Received int64
}

// Origin is where a streak comes from: the record that made it as it begins,
// and the one that last prolonged it.
type Origin struct {
	Born, Grown Source
}

// Origins tells where the streaks of a component come from that touch [from,
// to], in Unix ms. One that is in the ledger from before origins were kept has
// the zero Origin.
func (l *Ledger) Origins(ctx context.Context, component string, from, to int64) (map[StreakKey]Origin, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT observer, first_at, born_position, born_received, grown_position, grown_received
		FROM streaks WHERE component = $1 AND last_at >= $2 AND first_at <= $3`, component, from, to)
	out := map[StreakKey]Origin{}
	_, err = collect(rows, err, func(s scanner) (none struct{}, err error) {
		k := StreakKey{Component: component}
		var o Origin
		var born, grown int64
		err = s.Scan(&k.Observer, &k.First, &born, &o.Born.Received, &grown, &o.Grown.Received)
		o.Born.Position, o.Grown.Position = uint64(born), uint64(grown)
		out[k] = o
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("read where streaks of %s come from: %w", component, err)
	}
	return out, nil
}
