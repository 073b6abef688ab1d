package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// query evaluates an expression at one instant.
func (h *prometheus) query(r *http.Request) (promAnswer, error) {
	limit, err := limitParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	at, err := timeParam(r, "time", h.now())
	if err != nil {
		return promAnswer{}, err
	}
	lookback, err := durationParam(r, "lookback_delta")
	if err != nil {
		return promAnswer{}, err
	}
	ctx, cancel, err := h.deadline(r)
	if err != nil {
		return promAnswer{}, err
	}
	defer cancel()
	q, err := h.promql.QueryInstant(ctx, r.FormValue("query"), at, lookback)
	if err != nil {
		return promAnswer{}, prepareError(err)
	}
	return execute(ctx, q, r.FormValue("query"), limit)
}

// queryRange evaluates an expression at each step of a range.
func (h *prometheus) queryRange(r *http.Request) (promAnswer, error) {
	limit, err := limitParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	start, err := parseTime(r.FormValue("start"))
	if err != nil {
		return promAnswer{}, invalid("start", err)
	}
	end, err := parseTime(r.FormValue("end"))
	if err != nil {
		return promAnswer{}, invalid("end", err)
	}
	if end.Before(start) {
		return promAnswer{}, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(r.FormValue("step"))
	if err != nil {
		return promAnswer{}, invalid("step", err)
	}
	if step.Milliseconds() <= 0 {
		return promAnswer{}, invalid("step", errors.New("zero or negative query resolution step widths are not accepted; give at least 1 ms"))
	}
	if end.Sub(start)/step > maxSteps {
		return promAnswer{}, badData(fmt.Errorf("exceeded maximum resolution of %d points per timeseries: take a larger step", maxSteps))
	}
	lookback, err := durationParam(r, "lookback_delta")
	if err != nil {
		return promAnswer{}, err
	}
	ctx, cancel, err := h.deadline(r)
	if err != nil {
		return promAnswer{}, err
	}
	defer cancel()
	q, err := h.promql.QueryRange(ctx, r.FormValue("query"), start, end, step, lookback)
	if err != nil {
		return promAnswer{}, prepareError(err)
	}
	return execute(ctx, q, r.FormValue("query"), limit)
}

// prepareError: what fails before the execution is the expression, unless
// waiting for a turn took too long.
func prepareError(err error) error {
	if kind, _ := kindOf(err); kind == "canceled" || kind == "timeout" {
		return err
	}
	return invalid("query", err)
}

// execute runs a prepared query. Its result lives until the answer is written.
func execute(ctx context.Context, q promql.Query, text string, limit int) (promAnswer, error) {
	a := promAnswer{release: q.Close}
	res := q.Exec(ctx)
	if res.Err != nil {
		return a, res.Err
	}
	warnings, infos := res.Warnings.AsStrings(text, 10, 10)
	a.warnings, a.infos = warnings, infos
	value, cut := truncateResult(res.Value, limit)
	if cut {
		a.warnings = append(a.warnings, truncated)
	}
	a.data = func(w *promWriter) { w.result(value) }
	return a, nil
}

const truncated = "results truncated due to limit"

// truncateResult leaves at most limit series; 0 is without a limit.
func truncateResult(v parser.Value, limit int) (parser.Value, bool) {
	switch v := v.(type) {
	case promql.Vector:
		if limit > 0 && len(v) > limit {
			return v[:limit], true
		}
	case promql.Matrix:
		if limit > 0 && len(v) > limit {
			return v[:limit], true
		}
	}
	return v, false
}

// formatQuery writes an expression prettily.
func (h *prometheus) formatQuery(r *http.Request) (promAnswer, error) {
	expr, err := h.promql.Parser().ParseExpr(r.FormValue("query"))
	if err != nil {
		return promAnswer{}, invalid("query", err)
	}
	return promAnswer{data: func(w *promWriter) { w.string(expr.Pretty(0)) }}, nil
}
