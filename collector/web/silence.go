package web

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/silence"
)

// silenceRow is one stretch in which an agent did not measure.
type silenceRow struct {
	From, To    *When // nil: not known
	Length, Why string
}

// maxSilenceRows bounds the table; the API lists them all.
const maxSilenceRows = 20

// silences lists the newest breaks of the host's agent and sums the last 30 days.
func (s *Site) silences(ctx context.Context, v *visit, view *hostView) error {
	all, err := s.Store.Silences(ctx, view.Name, 0, v.AsOf.UnixMilli()+1)
	if err != nil {
		return err
	}
	since, silent, breaks := v.AsOf.Add(-30*24*time.Hour).UnixMilli(), int64(0), 0
	for i := range all {
		q := &all[i]
		if end := cmp.Or(q.To, v.AsOf.UnixMilli()); end >= since && q.Cause != silence.Lost && !q.Measured() {
			silent += end - max(q.From, since)
			breaks++
		}
		if len(view.Silences) < maxSilenceRows {
			view.Silences = append(view.Silences, v.silenceRow(q))
		}
	}
	times := v.T("silence.break")
	if breaks != 1 {
		times = v.T("silence.breaks", strconv.Itoa(breaks))
	}
	view.SilentMonth = v.T("silences.month", v.Millis(max(0, silent)), times)
	return nil
}

func (v *visit) silenceRow(q *silence.Silence) silenceRow {
	row := silenceRow{Length: "–"}
	if q.From != 0 {
		from := whenMS(q.From, v.Zone)
		row.From, row.Length = &from, v.Millis(max(0, v.AsOf.UnixMilli()-q.From)/1000*1000)
	}
	if q.From != 0 && q.To != 0 {
		to := whenMS(q.To, v.Zone)
		row.To, row.Length = &to, v.Millis(q.Length())
	}
	switch q.Cause {
	case silence.Lost:
		row.Why = v.T("silence.lost", strconv.FormatInt(q.Records, 10), q.Reason)
	case silence.Stopped:
		row.Why = v.T("silence.stopped", q.Reason)
	case silence.Cloned:
		row.Why = v.T("silence.cloned", q.Reason)
	default:
		row.Why = v.T("silence." + string(q.Cause))
	}
	if q.Provisional {
		row.Why += " " + v.T("silence.provisional")
	}
	return row
}
