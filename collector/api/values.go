package api

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/entered"
	"github.com/plimsoll/plimsoll/collector/people"
)

// Values are those of indicators that people enter (collector/entered).
type Values interface {
	Enter(ctx context.Context, e entered.Entry, v people.Visitor) (entered.Noted, error)
	Entries(ctx context.Context, agreement, indicator, month string) ([]entered.Noted, error)
	Asked(ctx context.Context, agreement, indicator, month string) ([]entered.Noted, error)
}

// Reader is in which language sentences are.
type Reader struct {
	Accept string `header:"Accept-Language" doc:"language of the sentences: en or zh-CN"`
}

// why fills in the sentences of indicators, in copies: results may be shared.
func (a *API) why(r Reader, f *availability.Figures) {
	if a.o.Words == nil {
		return
	}
	book := a.o.Words.Choose("", r.Accept)
	all := append([]availability.IndicatorResult{}, f.Indicators...)
	for i := range all {
		all[i].Why = book.Why(&all[i], func(by string) string { return people.Called(book, by) })
	}
	f.Indicators = all
}

// ValueBody is a value that a person enters.
type ValueBody struct {
	Agreement string `json:"agreement" doc:"its number"`
	Indicator string `json:"indicator" doc:"its name; of kind manual"`
	Period    string `json:"period" doc:"a month, 2026-11"`
	Value     string `json:"value" doc:"a decimal, written like 4.5"`
	Comment   string `json:"comment,omitempty"`
}

// EnteredBody is one version of a value.
type EnteredBody struct {
	ValueBody
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	By  string    `json:"by"`
}

// ValuesBody are all versions of a value, oldest first; the last one stands.
type ValuesBody struct {
	Versions []EnteredBody `json:"versions"`
}

// Values answers with what was entered for an indicator and month.
func (a *API) Values(ctx context.Context, in *struct {
	Agreement string `query:"agreement" required:"true"`
	Indicator string `query:"indicator" required:"true"`
	Period    string `query:"period" required:"true" doc:"a month, 2026-11"`
}) (*struct{ Body ValuesBody }, error) {
	return a.values(ctx, in.Agreement, in.Indicator, in.Period)
}

func (a *API) values(ctx context.Context, agreement, indicator, month string) (*struct{ Body ValuesBody }, error) {
	all, err := a.o.Values.Asked(ctx, agreement, indicator, month)
	if err != nil {
		return nil, a.answer(err, "value")
	}
	body := ValuesBody{Versions: []EnteredBody{}}
	for _, n := range all {
		body.Versions = append(body.Versions, EnteredBody{ValueBody{n.Agreement, n.Indicator, n.Month, n.Value, n.Comment}, n.Seq, time.UnixMilli(n.At).UTC(), n.By})
	}
	return &struct{ Body ValuesBody }{body}, nil
}

// EnterValue adds a version: the earlier ones stay.
func (a *API) EnterValue(ctx context.Context, in *struct{ Body ValueBody }) (*struct{ Body ValuesBody }, error) {
	b := &in.Body
	v, _ := people.From(ctx)
	if _, err := a.o.Values.Enter(ctx, entered.Entry{Agreement: b.Agreement, Indicator: b.Indicator, Month: b.Period, Value: b.Value, Comment: b.Comment}, v); err != nil {
		return nil, a.answer(err, "value")
	}
	return a.values(ctx, b.Agreement, b.Indicator, b.Period)
}
