package api

import (
	"context"
	"math"
	"time"
)

// DamageBody is a stretch of time of which acknowledged data was lost on the
// collector's own disk.
type DamageBody struct {
	Store string     `json:"store" enum:"series,journal" doc:"series: samples, which capacity is computed from; journal: what was acknowledged and not yet worked off"`
	What  string     `json:"what" doc:"the block, or the positions in the journal"`
	Cause string     `json:"cause"`
	From  *time.Time `json:"from" doc:"null: not known, it may reach back to the beginning"`
	To    *time.Time `json:"to" doc:"the end, excluded"`
	Found *time.Time `json:"found"`
	Lost  int64      `json:"lost" doc:"samples or records that may be missing, at most; 0: could not be counted"`
}

// DamagesBody lists them, those found first before the others.
type DamagesBody struct {
	AsOf   time.Time    `json:"as_of"`
	Damage []DamageBody `json:"damage"`
}

// Damage answers with when data was lost. Availability does not suffer from
// what the series lost: it is computed from the ledger.
func (a *API) Damage(_ context.Context, in *struct {
	AsOf
	From time.Time `query:"from" doc:"those that touch the time from here"`
	To   time.Time `query:"to" doc:"those that begin before this"`
}) (*struct{ Body DamagesBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !in.From.IsZero() {
		from = in.From.UnixMilli()
	}
	if !in.To.IsZero() {
		to = in.To.UnixMilli()
	}
	body := DamagesBody{AsOf: asOf, Damage: []DamageBody{}}
	if a.o.Damage != nil {
		for _, r := range a.o.Damage(from, to, asOf.UnixMilli()) {
			body.Damage = append(body.Damage, DamageBody{r.Store, r.What, r.Cause, instant(r.From), instant(r.To), instant(r.Found), r.Lost})
		}
	}
	return &struct{ Body DamagesBody }{body}, nil
}
