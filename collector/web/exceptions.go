package web

import (
	"cmp"
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/figures"
)

// shownInstances is how many of those an exception is about are named.
const shownInstances = 8

type exceptionsView struct{ Rows []exceptionRow }

// exceptionRow is one exception of the catalogue with those it is about now.
type exceptionRow struct {
	Resource, Reason string
	Which            []string // conditions, all of them
	Thresholds       string
	Until            *When // nil: without an end
	Ended            bool
	Count            int
	Instances        []exceptedInstance // the fullest of them
	More             int
}

type exceptedInstance struct {
	Host, Link, Text string
	share            float64
}

// exceptions lists all exceptions of the catalogue in their order: the first
// that matches counts, so one that an earlier one covers is about nothing.
func (s *Site) exceptions(ctx context.Context, v *visit) (string, any, error) {
	usages, err := s.Figures.Usages(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	return v.T("exceptions"), exceptionsView{v.exceptionRows(s.Figures.Catalogue().Exceptions, usages)}, nil
}

func (v *visit) exceptionRows(all []capacity.Exception, usages []figures.Usage) []exceptionRow {
	rows := make([]exceptionRow, len(all))
	for i := range all {
		e := &all[i]
		row := exceptionRow{Resource: e.Resource, Reason: e.Reason, Which: conditions(e), Thresholds: v.exceptedThresholds(e)}
		if e.Until != 0 {
			until := whenMS(e.Until, v.Zone)
			row.Until, row.Ended = &until, e.Until <= v.AsOf.UnixMilli()
		}
		for k := range usages {
			if u := &usages[k]; u.Exception == e {
				row.Instances = append(row.Instances, v.excepted(u))
			}
		}
		slices.SortStableFunc(row.Instances, func(a, b exceptedInstance) int { return cmp.Compare(b.share, a.share) })
		row.Count = len(row.Instances)
		row.More = max(0, row.Count-shownInstances)
		row.Instances = row.Instances[:row.Count-row.More]
		rows[i] = row
	}
	return rows
}

func (v *visit) excepted(u *figures.Usage) exceptedInstance {
	share := u.Share()
	host := u.Labels["instance"]
	out := exceptedInstance{Host: host, Link: v.at(hostPath(host)), share: share}
	var of []string
	for _, label := range u.Resource.Per {
		if text := u.Labels[label]; label != "instance" && text != "" {
			of = append(of, text)
		}
	}
	if !math.IsNaN(share) {
		of = append(of, v.Percent(&share, 1))
	}
	out.Text = strings.Join(of, " ")
	return out
}

// conditions are those of the exception, as label and pattern of its whole value.
func conditions(e *capacity.Exception) []string {
	var all []string
	for _, each := range []struct {
		is string
		of map[string]*regexp.Regexp
	}{{" = ", e.Match}, {" ≠ ", e.Not}} {
		for _, label := range slices.Sorted(maps.Keys(each.of)) {
			pattern := strings.TrimSuffix(strings.TrimPrefix(each.of[label].String(), "^(?:"), ")$")
			all = append(all, label+each.is+pattern)
		}
	}
	return all
}

// exceptedThresholds are those the exception says; the others are the resource's.
func (v *visit) exceptedThresholds(e *capacity.Exception) string {
	if e.Ignore {
		return v.T("exceptions.ignored")
	}
	var all []string
	for _, each := range []struct {
		key   string
		share float64
	}{{"threshold.warning", e.Warning}, {"threshold.critical", e.Critical}, {"threshold.clear", e.Clear}} {
		if each.share != 0 {
			all = append(all, v.T(each.key)+" "+v.Percent(&each.share, 1))
		}
	}
	return strings.Join(all, ", ")
}
