package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// maxSilences bounds how many notes of a kind, and silences found in
// envelopes, one question reads.
const maxSilences = 1000

// silentAfter is after which time without a sign a host is silent now, and
// finalAfter after which that is not provisional any more, ms.
const (
	silentAfter = 150_000
	finalAfter  = 7 * 24 * 3_600_000
)

// SilenceKey names a silence that the envelopes of a host proved.
type SilenceKey struct {
	Host  string
	Cause silence.Cause
	From  int64 // Unix ms
}

// Silences returns when an agent did not measure or was not heard, and what it
// lost, that ended in [from, to) in Unix ms or lasts, the newest first, each
// with its cause as far as it is known. to 0: up to now.
func (l *Ledger) Silences(ctx context.Context, instance string, from, to int64) ([]silence.Silence, error) {
	if to == 0 {
		to = l.ms() + 1
	}
	all, err := l.noted(ctx, instance, from, to)
	if err != nil {
		return nil, err
	}
	h, err := l.HostByInstance(ctx, instance)
	switch {
	case errors.Is(err, ErrNotFound):
		return all, nil
	case err != nil:
		return nil, err
	}
	found, err := l.found(ctx, &h, from, to)
	if err != nil {
		return nil, err
	}
	all = append(all, found...)
	if s, ok := silentNow(&h, to-1); ok {
		all = append(all, s)
	}
	silence.Sort(all)
	return all, nil
}

// noted are the silences an agent told of itself.
func (l *Ledger) noted(ctx context.Context, instance string, from, to int64) ([]silence.Silence, error) {
	var told []wire.Note
	for _, kind := range []string{"start", "loss"} {
		notes, err := l.Notes(ctx, NoteFilter{Instance: instance, Kind: kind, From: from, To: to, Limit: maxSilences})
		if err != nil {
			return nil, err
		}
		for i := range notes {
			var n wire.Note
			if err := json.Unmarshal([]byte(notes[i].Body), &n); err != nil {
				return nil, fmt.Errorf("read a note of %s: %w", instance, err)
			}
			told = append(told, n)
		}
	}
	return silence.All(told), nil
}

// found are those that its envelopes proved, explained by what others know.
func (l *Ledger) found(ctx context.Context, h *Host, from, to int64) ([]silence.Silence, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT cause, from_at, to_at FROM host_silences
		WHERE host = $1 AND to_at >= $2 AND from_at < $3 ORDER BY from_at DESC LIMIT $4`, h.ID, from, to, maxSilences)
	all, err := collect(rows, err, func(s scanner) (q silence.Silence, err error) {
		err = s.Scan(&q.Cause, &q.From, &q.To)
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the silences of %s: %w", h.Instance, err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	away, err := l.Away(ctx, from, to)
	if err != nil {
		return nil, err
	}
	seen, err := l.StreaksOf(ctx, h.Instance)
	if err != nil {
		return nil, err
	}
	var peers []availability.Streak
	for i := range seen {
		if seen[i].Observer != h.Instance {
			peers = append(peers, seen[i])
		}
	}
	for i := range all {
		all[i] = silence.Explain(all[i], silence.Evidence{Away: away, Peers: peers})
	}
	return all, nil
}

// silentNow is the silence of a host that lasts at the instant.
func silentNow(h *Host, at int64) (silence.Silence, bool) {
	switch {
	case h.QuarantinedAt != 0 && h.QuarantinedAt <= at:
		return silence.Silence{Cause: silence.Cloned, From: h.QuarantinedAt, Reason: h.Quarantine}, true
	case h.Sender == "" && h.LastSeen != 0 && h.LastSample != 0 && at-h.LastSeen > silentAfter:
		return silence.Silence{Cause: silence.Silent, From: h.LastSample, Provisional: at-h.LastSeen < finalAfter}, true
	}
	return silence.Silence{}, false
}

// Watches returns what is remembered of the envelopes of each host.
func (l *Ledger) Watches(ctx context.Context) (map[string]*silence.Watch, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT host, body FROM host_watches`)
	all := map[string]*silence.Watch{}
	_, err = collect(rows, err, func(s scanner) (struct{}, error) {
		var host, body string
		if err := s.Scan(&host, &body); err != nil {
			return struct{}{}, err
		}
		w := new(silence.Watch)
		all[host] = w
		return struct{}{}, json.Unmarshal([]byte(body), w)
	})
	if err != nil {
		return nil, fmt.Errorf("read what is remembered of envelopes: %w", err)
	}
	return all, nil
}

func putWatches(ctx context.Context, tx *sql.Tx, watches map[string]*silence.Watch, found map[SilenceKey]int64) error {
	for host, w := range watches {
		body, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("write what is remembered of host %s: %w", host, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO host_watches (host, body) VALUES ($1, $2) ON CONFLICT (host) DO UPDATE SET body = excluded.body`, host, string(body)); err != nil {
			return fmt.Errorf("write what is remembered of host %s: %w", host, err)
		}
	}
	for s, to := range found {
		if _, err := tx.ExecContext(ctx, `INSERT INTO host_silences (host, cause, from_at, to_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (host, cause, from_at) DO UPDATE SET to_at = excluded.to_at`, s.Host, s.Cause, s.From, to); err != nil {
			return fmt.Errorf("write a silence of host %s: %w", s.Host, err)
		}
	}
	return nil
}
