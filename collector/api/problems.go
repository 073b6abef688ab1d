package api

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

// ProblemsBody lists problem records.
type ProblemsBody struct {
	AsOf     time.Time       `json:"as_of"`
	Problems []record.Record `json:"problems"`
}

// Problems answers with the problem records opened by as_of.
func (a *API) Problems(ctx context.Context, in *struct {
	AsOf
	Open     bool   `query:"open" doc:"only those people still have work with"`
	Customer string `query:"customer"`
}) (*struct{ Body ProblemsBody }, error) {
	asOf := a.asOf(in.AsOf)
	found, err := a.o.Store.Records(ctx, ledger.RecordFilter{Customer: in.Customer, OpenOnly: in.Open, To: asOf.UnixMilli() + 1})
	if err != nil {
		return nil, a.answer(err, "problems")
	}
	return &struct{ Body ProblemsBody }{ProblemsBody{asOf, append([]record.Record{}, found...)}}, nil
}

// ProblemBody is a record with its history and evidence.
type ProblemBody struct {
	record.Record
	Amendments []record.Amendment `json:"amendments"`
	Evidence   []EvidenceBody     `json:"evidence"`
}

// EvidenceBody is what was seen when a record opened or repeated.
type EvidenceBody struct {
	At        int64        `json:"at" doc:"Unix ms"`
	Since     int64        `json:"since" doc:"Unix ms"`
	Query     string       `json:"query"`
	Unit      string       `json:"unit"`
	Used      float64      `json:"used"`
	Capacity  float64      `json:"capacity"`
	Threshold float64      `json:"threshold" doc:"share of capacity"`
	HoldMS    int64        `json:"hold_ms"`
	Points    [][2]float64 `json:"points" doc:"Unix ms and value"`
	Labels    []string     `json:"labels"`
}

// Problem answers with one record.
func (a *API) Problem(ctx context.Context, in *struct {
	No string `path:"no"`
}) (*struct{ Body ProblemBody }, error) {
	f, err := a.o.Store.Record(ctx, in.No)
	if err != nil {
		return nil, a.answer(err, "problem "+in.No)
	}
	body := ProblemBody{Record: f.Record, Amendments: append([]record.Amendment{}, f.Amendments...), Evidence: []EvidenceBody{}}
	for _, e := range f.Evidence {
		out := EvidenceBody{e.At, e.Since, e.Query, e.Unit, e.Used, e.Capacity, e.Threshold, e.Hold, make([][2]float64, len(e.Points)), append([]string{}, e.Labels...)}
		for i, p := range e.Points {
			out.Points[i] = [2]float64{float64(p.T), p.V}
		}
		body.Evidence = append(body.Evidence, out)
	}
	return &struct{ Body ProblemBody }{body}, nil
}
