package api

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

// ProblemBody is a problem record with its newest values and its history.
type ProblemBody struct {
	No          string          `json:"record_no"`
	Kind        string          `json:"kind"`
	Version     int64           `json:"version"`
	Customer    string          `json:"customer"`
	Services    []string        `json:"service_ids"`
	Components  []string        `json:"ci_ids" doc:"the primary one first"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Origin      string          `json:"origin"`
	RuleID      string          `json:"rule_id"`
	RuleVersion int64           `json:"rule_version"`
	Metric      string          `json:"affected_metric"`
	DetectedAt  *time.Time      `json:"detected_at"`
	FirstSeen   *time.Time      `json:"first_seen"`
	LastSeen    *time.Time      `json:"last_seen"`
	RecoveredAt *time.Time      `json:"recovered_at" doc:"the breach ended then; people close problems"`
	Unmeasured  *time.Time      `json:"unmeasured_since,omitempty" doc:"nothing is measured since then of what was in breach, which is not the same as recovered"`
	Occurrences int64           `json:"occurrences"`
	Observed    float64         `json:"observed_value"`
	Threshold   float64         `json:"threshold_value"`
	Unit        string          `json:"unit"`
	Impact      int             `json:"impact"`
	Urgency     int             `json:"urgency"`
	Priority    int             `json:"priority"`
	State       string          `json:"state"`
	StateSince  *time.Time      `json:"state_since"`
	Key         string          `json:"dedup_key"`
	Episode     int64           `json:"episode_no"`
	Relates     string          `json:"relates,omitempty" doc:"number of the episode before"`
	Amendments  []AmendmentBody `json:"amendments" doc:"oldest first"`
	Evidence    []EvidenceBody  `json:"evidence,omitempty" doc:"of one record alone; oldest first"`
}

// AmendmentBody is one change of a record, or a note to it.
type AmendmentBody struct {
	At     *time.Time `json:"at"`
	By     string     `json:"by"`
	Field  string     `json:"field"`
	Old    string     `json:"old"`
	New    string     `json:"new"`
	Reason string     `json:"reason"`
}

// EvidenceBody is what was seen when a record opened or repeated.
type EvidenceBody struct {
	At        *time.Time   `json:"at"`
	Since     *time.Time   `json:"since"`
	Query     string       `json:"query"`
	Unit      string       `json:"unit"`
	Used      float64      `json:"used"`
	Capacity  float64      `json:"capacity"`
	Threshold float64      `json:"threshold" doc:"share of capacity"`
	HoldS     float64      `json:"hold_s"`
	Points    [][2]float64 `json:"points" doc:"Unix ms and value"`
	Labels    []string     `json:"labels"`
}

func text(t record.Text, lang string) string {
	if lang != "" && lang[0] == 'z' && t.Chinese != "" {
		return t.Chinese
	}
	return t.English
}

func problemBody(f *ledger.File, lang string) ProblemBody {
	r := &f.Record
	b := ProblemBody{No: r.No, Kind: string(r.Kind), Version: r.Version, Customer: r.Customer, Services: append([]string{}, r.Services...), Components: append([]string{}, r.Components...),
		Title: text(r.Title, lang), Description: text(r.Detail, lang), Origin: string(r.Origin), RuleID: r.RuleID, RuleVersion: r.RuleVersion, Metric: r.Metric,
		DetectedAt: instant(r.DetectedAt), FirstSeen: instant(r.FirstSeen), LastSeen: instant(r.LastSeen), RecoveredAt: instant(r.Recovered), Unmeasured: instant(r.Unmeasured), Occurrences: r.Occurrences,
		Observed: r.Observed, Threshold: r.Limit, Unit: r.Unit, Impact: r.Impact, Urgency: r.Urgency, Priority: r.Priority, State: string(r.State), StateSince: instant(r.StateSince),
		Key: r.Key, Episode: r.Episode, Relates: r.Relates, Amendments: []AmendmentBody{}}
	for _, a := range f.Amendments {
		b.Amendments = append(b.Amendments, AmendmentBody{instant(a.At), a.By, a.Field, a.Old, a.New, text(a.Reason, lang)})
	}
	return b
}

// ProblemsBody lists problem records.
type ProblemsBody struct {
	AsOf     time.Time     `json:"as_of"`
	Problems []ProblemBody `json:"problems" doc:"open ones first, by priority"`
}

// Problems answers with the problem records opened by as_of.
func (a *API) Problems(ctx context.Context, in *struct {
	AsOf
	Open     bool   `query:"open" doc:"only those people still have work with"`
	Customer string `query:"customer"`
	Lang     string `query:"lang" doc:"en or zh-CN, of titles and reasons" default:"en"`
	Limit    int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}) (*struct{ Body ProblemsBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	found, err := a.o.Store.Records(ctx, ledger.RecordFilter{Customer: in.Customer, OpenOnly: in.Open, To: asOf.UnixMilli() + 1, Limit: in.Limit})
	if err != nil {
		return nil, a.answer(err, "problems")
	}
	body := ProblemsBody{AsOf: asOf, Problems: []ProblemBody{}}
	for i := range found {
		f, err := a.o.Store.Record(ctx, found[i].No)
		if err != nil {
			return nil, a.answer(err, "problem "+found[i].No)
		}
		body.Problems = append(body.Problems, problemBody(&f, in.Lang))
	}
	return &struct{ Body ProblemsBody }{body}, nil
}

// Problem answers with one record and its evidence.
func (a *API) Problem(ctx context.Context, in *struct {
	No   string `path:"no"`
	Lang string `query:"lang" doc:"en or zh-CN, of titles and reasons" default:"en"`
}) (*struct{ Body ProblemBody }, error) {
	f, err := a.o.Store.Record(ctx, in.No)
	if err != nil {
		return nil, a.answer(err, "problem "+in.No)
	}
	body := problemBody(&f, in.Lang)
	for _, e := range f.Evidence {
		out := EvidenceBody{instant(e.At), instant(e.Since), e.Query, e.Unit, e.Used, e.Capacity, e.Threshold, float64(e.Hold) / 1000, make([][2]float64, len(e.Points)), append([]string{}, e.Labels...)}
		for i, p := range e.Points {
			out.Points[i] = [2]float64{float64(p.T), p.V}
		}
		body.Evidence = append(body.Evidence, out)
	}
	return &struct{ Body ProblemBody }{body}, nil
}
