package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// nameLabel holds the name of a metric.
const nameLabel = "__name__"

// maxSteps is how many points of one series a range query may ask for.
const maxSteps = 11_000

// The earliest and the latest time that clients of Prometheus send for
// "without a bound".
const (
	earliestText = "-292273086-05-16T16:47:06Z"
	latestText   = "292277025-08-18T07:12:54.999999999Z"
)

// unbounded are the times without a bound, within what Unix milliseconds hold.
func unbounded() (earliest, latest time.Time) {
	return time.UnixMilli(math.MinInt64 / 1000), time.UnixMilli(math.MaxInt64 / 1000)
}

// parseTime reads Unix seconds with a fraction or RFC 3339.
func parseTime(text string) (time.Time, error) {
	earliest, latest := unbounded()
	switch text {
	case earliestText:
		return earliest, nil
	case latestText:
		return latest, nil
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(math.Abs(s) <= float64(latest.Unix())) {
			return time.Time{}, fmt.Errorf("%q lies beyond the times that can be stored", text)
		}
		whole, part := math.Modf(s)
		return time.Unix(int64(whole), int64(math.Round(part*1000))*int64(time.Millisecond)).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp: give Unix seconds or RFC 3339", text)
}

// timeParam reads the parameter name, which is otherwise when not given.
func timeParam(r *http.Request, name string, otherwise time.Time) (time.Time, error) {
	text := r.FormValue(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return t, invalid(name, err)
	}
	return t, nil
}

// parseDuration reads seconds with a fraction or a duration such as 1h30m.
func parseDuration(text string) (time.Duration, error) {
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(math.Abs(s) < float64(math.MaxInt64)/float64(time.Second)) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		return time.Duration(s * float64(time.Second)), nil
	}
	return promDuration(text)
}

// promDuration reads units of PromQL in falling order, each once: 1w2d3h4m5s6ms.
func promDuration(text string) (time.Duration, error) {
	units := []struct {
		name string
		long time.Duration
	}{
		{"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour},
		{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
	}
	var sum time.Duration
	rest, next := text, 0
	for rest != "" {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		u := n
		for u < len(rest) && (rest[u] < '0' || rest[u] > '9') {
			u++
		}
		count, err := strconv.ParseInt(rest[:n], 10, 64)
		for next < len(units) && units[next].name != rest[n:u] {
			next++
		}
		if err != nil || next == len(units) || count > int64(math.MaxInt64-sum)/int64(units[next].long) {
			return 0, fmt.Errorf("cannot parse %q to a valid duration: give seconds or units such as 1h30m", text)
		}
		sum += time.Duration(count) * units[next].long
		rest, next = rest[u:], next+1
	}
	if text == "" {
		return 0, errors.New("cannot parse \"\" to a valid duration")
	}
	return sum, nil
}

// durationParam reads the parameter name; 0 when not given.
func durationParam(r *http.Request, name string) (time.Duration, error) {
	text := r.FormValue(name)
	if text == "" {
		return 0, nil
	}
	d, err := parseDuration(text)
	if err == nil && d < 0 {
		err = errors.New("a negative duration is not accepted")
	}
	if err != nil {
		return 0, invalid(name, err)
	}
	return d, nil
}

// limitParam reads "limit"; 0, and no value, is without a limit.
func limitParam(r *http.Request) (int, error) {
	text := r.FormValue("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 0 {
		err = errors.New("limit must be 0 or more")
	}
	if err != nil {
		return 0, invalid("limit", err)
	}
	return n, nil
}

// matchersParam reads each "match[]".
func (h *prometheus) matchersParam(r *http.Request) ([][]*labels.Matcher, error) {
	var sets [][]*labels.Matcher
	for _, text := range r.Form["match[]"] {
		set, err := h.promql.Parser().ParseMetricSelector(text)
		if err != nil {
			return nil, invalid("match[]", err)
		}
		if !narrows(set) {
			return nil, invalid("match[]", errors.New("match[] must contain at least one non-empty matcher"))
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// narrows tells whether some series would not match.
func narrows(set []*labels.Matcher) bool {
	for _, m := range set {
		if !m.Matches("") {
			return true
		}
	}
	return false
}

// spanParam reads "start" and "end" of the endpoints about series. What is
// not given is without a bound; the future is left out.
func (h *prometheus) spanParam(r *http.Request) (mint, maxt int64, err error) {
	earliest, latest := unbounded()
	start, err := timeParam(r, "start", earliest)
	if err != nil {
		return 0, 0, err
	}
	end, err := timeParam(r, "end", latest)
	if err != nil {
		return 0, 0, err
	}
	if end.Before(start) {
		return 0, 0, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	if now := h.now(); end.After(now) {
		end = now
	}
	return start.UnixMilli(), end.UnixMilli(), nil
}

// deadline shortens the time of a query as "timeout" asks.
func (h *prometheus) deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	d, err := durationParam(r, "timeout")
	if err != nil {
		return nil, nil, err
	}
	if d == 0 || d > h.promql.Limits().Timeout {
		d = h.promql.Limits().Timeout
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	return ctx, cancel, nil
}

func invalid(name string, err error) error {
	return badData(fmt.Errorf("invalid parameter %q: %w", name, err))
}
