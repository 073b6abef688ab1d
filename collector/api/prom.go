package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/plimsoll/plimsoll/collector/series"
)

// promVersion is the version of Prometheus that status/buildinfo reports:
// clients choose by it what they may ask, and what they ask from 2.24 on is here.
const promVersion = "2.45.0"

// maxForm bounds the form of a query, in bytes.
const maxForm = 1 << 20

// prometheus answers the query part of Prometheus's HTTP API.
type prometheus struct {
	promql  *series.PromQL
	version string
	now     func() time.Time
}

// Prometheus serves the query API of Prometheus below /prometheus/api/v1, so
// that Grafana's stock data source, promtool and any client of PromQL work
// against a bare collector. version is that of the collector.
func Prometheus(p *series.PromQL, version string) http.Handler {
	return prometheusAt(p, version, time.Now)
}

func prometheusAt(p *series.PromQL, version string, now func() time.Time) http.Handler {
	h := &prometheus{promql: p, version: version, now: now}
	mux := http.NewServeMux()
	for _, r := range []struct {
		path   string
		answer func(r *http.Request) (promAnswer, error)
		post   bool
	}{
		{"query", h.query, true},
		{"query_range", h.queryRange, true},
		{"format_query", h.formatQuery, true},
		{"series", h.series, true},
		{"labels", h.labels, true},
		{"label/{name}/values", h.labelValues, false},
		{"metadata", h.metadata, false},
		{"rules", h.rules, false},
		{"alerts", h.alerts, false},
		{"query_exemplars", h.exemplars, true},
		{"status/buildinfo", h.buildInfo, false},
	} {
		handler := promHandler(r.answer)
		mux.Handle("GET /prometheus/api/v1/"+r.path, handler)
		if r.post {
			mux.Handle("POST /prometheus/api/v1/"+r.path, handler)
		}
	}
	mux.Handle("/prometheus/api/v1/", promHandler(func(r *http.Request) (promAnswer, error) {
		return promAnswer{}, &promError{kind: "not_found", err: errors.New("this collector has no " + r.URL.Path + " for " + r.Method)}
	}))
	return mux
}

// promAnswer is the answer to one request. data writes the value of "data".
type promAnswer struct {
	data     func(w *promWriter)
	warnings []string
	infos    []string
	release  func() // called when the answer was written
}

// promError carries the kind of an error in Prometheus's words.
type promError struct {
	kind string
	err  error
}

func (e *promError) Error() string { return e.err.Error() }
func (e *promError) Unwrap() error { return e.err }

func badData(err error) error { return &promError{kind: "bad_data", err: err} }

// kindOf gives the kind of an error and its status.
func kindOf(err error) (string, int) {
	var own *promError
	if errors.As(err, &own) {
		switch own.kind {
		case "not_found":
			return own.kind, http.StatusNotFound
		default:
			return own.kind, http.StatusBadRequest
		}
	}
	var canceled promql.ErrQueryCanceled
	var timeout promql.ErrQueryTimeout
	var store promql.ErrStorage
	switch {
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return "canceled", 499 // as nginx and Prometheus say "the client went away"
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout", http.StatusServiceUnavailable
	case errors.As(err, &store):
		return "internal", http.StatusInternalServerError
	}
	return "execution", http.StatusUnprocessableEntity
}

func promHandler(answer func(*http.Request) (promAnswer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if err := r.ParseForm(); err != nil {
			writePromError(w, badData(err))
			return
		}
		a, err := answer(r)
		if a.release != nil {
			defer a.release()
		}
		if err != nil {
			writePromError(w, err)
			return
		}
		pw := newPromWriter(w)
		pw.text(`{"status":"success","data":`)
		a.data(pw)
		pw.strings(`,"warnings":`, a.warnings)
		pw.strings(`,"infos":`, a.infos)
		pw.text("}\n")
		pw.flush()
	})
}

func writePromError(w http.ResponseWriter, err error) {
	kind, status := kindOf(err)
	w.WriteHeader(status)
	pw := newPromWriter(w)
	pw.text(`{"status":"error","errorType":"` + kind + `","error":`)
	pw.string(err.Error())
	pw.text("}\n")
	pw.flush()
}

func (h *prometheus) buildInfo(*http.Request) (promAnswer, error) {
	return promAnswer{data: func(w *promWriter) {
		w.text(`{"version":"` + promVersion + `","revision":`)
		w.string("plimsoll " + h.version)
		w.text(`,"branch":"","buildUser":"","buildDate":"","goVersion":""}`)
	}}, nil
}

// rules are none: thresholds and records are Plimsoll's own.
func (h *prometheus) rules(*http.Request) (promAnswer, error) {
	return promAnswer{data: func(w *promWriter) { w.text(`{"groups":[]}`) }}, nil
}

func (h *prometheus) alerts(*http.Request) (promAnswer, error) {
	return promAnswer{data: func(w *promWriter) { w.text(`{"alerts":[]}`) }}, nil
}

func (h *prometheus) exemplars(*http.Request) (promAnswer, error) {
	return promAnswer{data: func(w *promWriter) { w.text(`[]`) }}, nil
}
