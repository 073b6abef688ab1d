package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/evaluate"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/zone"
)

// FactsOrigin is a streak of facts and where it comes from.
type FactsOrigin struct {
	availability.Evidence
	Born  *SourceBody `json:"first_known" doc:"the journal's record that made the streak as it begins; null: from before this was kept, or not in the ledger yet"`
	Grown *SourceBody `json:"last_known" doc:"the record that last prolonged it"`
}

// SourceBody is a record of the journal.
type SourceBody struct {
	Position   uint64    `json:"position"`
	ReceivedAt time.Time `json:"received_at"`
}

func sourceBody(s ledger.Source) *SourceBody {
	if s.Position == 0 {
		return nil
	}
	return &SourceBody{s.Position, time.UnixMilli(s.Received).UTC()}
}

// ExplanationBody is an explanation with the origins of its facts.
type ExplanationBody struct {
	availability.Explanation
	Facts []FactsOrigin `json:"facts" doc:"by component, observer and time"`
}

// VersionsBody is what computed the figures, and from which agreements.
type VersionsBody struct {
	Program       string `json:"program"`
	Go            string `json:"go" doc:"the release whose time-zone rules count where the system has none; the offsets used are in each explanation"`
	Zones         string `json:"zone_data" doc:"version of the time-zone data in use and where it is from, like 2025c (embedded)"`
	Catalogue     int64  `json:"catalogue" doc:"number of the newest version in the ledger; 0: none is kept"`
	CatalogueHash string `json:"catalogue_sha256"`
}

// ExplainBody tells why the figures of a service are what they are.
type ExplainBody struct {
	AsOf         time.Time         `json:"as_of"`
	Versions     VersionsBody      `json:"versions"`
	Explanations []ExplanationBody `json:"explanations" doc:"one entry per agreement version in force in the period"`
}

// ExplainAsk says what is to be explained.
type ExplainAsk struct {
	AsOf
	Span
	Reader
	Name      string `path:"name"`
	Agreement string `query:"agreement" doc:"only this number"`
	Version   int    `query:"version" doc:"only this version of it"`
}

// Explain answers with all that the figures of one service rest on.
func (a *API) Explain(ctx context.Context, in *ExplainAsk) (*struct{ Body ExplainBody }, error) {
	all, asOf, err := a.explanations(ctx, in)
	if err != nil {
		return nil, err
	}
	body := ExplainBody{AsOf: asOf, Versions: VersionsBody{Program: a.o.Version, Go: runtime.Version(), Zones: zone.Find(runtime.Version()).String()}, Explanations: []ExplanationBody{}}
	cat, err := a.o.Store.Catalogue(ctx)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, a.answer(err, "catalogue in the ledger")
	}
	body.Versions.Catalogue, body.Versions.CatalogueHash = cat.Number, a.o.Figures.Catalogue().Hash
	for i := range all {
		facts, err := a.origins(ctx, all[i].Streaks)
		if err != nil {
			return nil, a.answer(err, "streaks")
		}
		a.why(in.Reader, &all[i].Figures)
		body.Explanations = append(body.Explanations, ExplanationBody{all[i], facts})
	}
	return &struct{ Body ExplainBody }{body}, nil
}

// explanations are those asked for, and the instant as of which.
func (a *API) explanations(ctx context.Context, in *ExplainAsk) ([]availability.Explanation, time.Time, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, asOf, err
	}
	if _, ok := a.o.Figures.Catalogue().Availability.Service(in.Name); !ok {
		return nil, asOf, huma.Error404NotFound("there is no service " + in.Name)
	}
	span := in.Span
	if span == (Span{}) {
		span.Period = asOf.Format("2006-01")
	}
	from, to, err := a.bounds(span)
	if err != nil {
		return nil, asOf, err
	}
	all, err := a.o.Figures.Explain(ctx, in.Name, from, to, asOf)
	if err != nil {
		return nil, asOf, a.answer(err, "service "+in.Name)
	}
	return slices.DeleteFunc(all, func(x availability.Explanation) bool {
		return in.Agreement != "" && x.Figures.Agreement != in.Agreement || in.Version != 0 && x.Figures.Version != in.Version
	}), asOf, nil
}

// origins looks up where streaks come from; they are in the order of their components.
func (a *API) origins(ctx context.Context, streaks []availability.Evidence) ([]FactsOrigin, error) {
	out := make([]FactsOrigin, 0, len(streaks))
	for i := 0; i < len(streaks); {
		end := i
		from, to := streaks[i].First.MS, streaks[i].Last.MS
		for end < len(streaks) && streaks[end].Component == streaks[i].Component {
			from, to = min(from, streaks[end].First.MS), max(to, streaks[end].Last.MS)
			end++
		}
		known, err := a.o.Store.Origins(ctx, streaks[i].Component, from, to)
		if err != nil {
			return nil, err
		}
		for ; i < end; i++ {
			o := known[ledger.StreakKey{Component: streaks[i].Component, Observer: streaks[i].Observer, First: streaks[i].First.MS}]
			out = append(out, FactsOrigin{streaks[i], sourceBody(o.Born), sourceBody(o.Grown)})
		}
	}
	return out, nil
}

// ExplainCSV answers with the rows of an explanation, or with its facts as the
// evaluate command reads them.
func (a *API) ExplainCSV(ctx context.Context, in *struct {
	ExplainAsk
	Table string `query:"table" enum:"rows,facts,indicators" default:"rows"`
}) (*huma.StreamResponse, error) {
	all, _, err := a.explanations(ctx, &in.ExplainAsk)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		var names []string
		for i := range all {
			names = append(names, fmt.Sprintf("agreement=%s&version=%d", all[i].Figures.Agreement, all[i].Figures.Version))
		}
		return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("a table is of one agreement version, here are %d: add one of %s", len(all), strings.Join(names, " or ")))
	}
	var text bytes.Buffer
	switch in.Table {
	case "facts":
		err = evaluate.WriteFacts(&text, all[0].Facts())
	case "indicators":
		a.why(in.Reader, &all[0].Figures)
		err = indicatorsCSV(&text, &all[0].Figures)
	default:
		err = rowsCSV(&text, &all[0])
	}
	if err != nil {
		return nil, a.answer(err, "table")
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "text/csv; charset=utf-8")
		h.SetHeader("Content-Disposition", `attachment; filename="`+in.Table+`.csv"`)
		_, _ = h.BodyWriter().Write(text.Bytes()) // the reader may have gone
	}}, nil
}

func rowsCSV(text *bytes.Buffer, x *availability.Explanation) error {
	w := csv.NewWriter(text)
	rows := [][]string{{"row", "from", "to", "ms", "cut", "state", "why"}}
	for _, r := range x.Rows {
		state := ""
		if r.State != nil {
			state = r.State.String()
		}
		rows = append(rows, []string{strconv.Itoa(r.N), r.From.String(), r.To.String(), strconv.FormatInt(r.MS, 10), r.Cut.String(), state, strings.Join(r.Why, " ")})
	}
	return w.WriteAll(rows)
}

// indicatorsCSV writes each indicator with its value as an exact fraction.
func indicatorsCSV(text *bytes.Buffer, f *availability.Figures) error {
	w := csv.NewWriter(text)
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'f', -1, 64)
	}
	rows := [][]string{{"indicator", "kind", "target", "unacceptable", "actual", "exact", "state", "reason", "query", "why"}}
	for k := range f.Indicators {
		i := &f.Indicators[k]
		row := []string{i.Name, string(i.Kind), number(i.Target), number(i.Unacceptable), number(i.Actual), "", i.State, "", "", i.Why}
		if i.Exact != nil {
			row[5] = i.Exact.RatString()
		}
		if i.Basis != nil {
			row[7], row[8] = string(i.Basis.Reason), i.Basis.Query
		}
		rows = append(rows, row)
	}
	return w.WriteAll(rows)
}
