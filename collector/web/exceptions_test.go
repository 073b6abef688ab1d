package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestExceptionRows: what the list says of each exception, and which instances
// it holds for, the fullest first and no more than shownInstances of them.
func TestExceptionRows(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	whole := func(p string) *regexp.Regexp { return regexp.MustCompile("^(?:" + p + ")$") }
	all := []capacity.Exception{
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"mountpoint": whole("/var/log.*"), "customer": whole("acme")}, Warning: 0.9, Critical: 0.95, Reason: "rotated weekly", Until: now.Add(time.Hour).UnixMilli()},
		{Resource: "memory", Match: map[string]*regexp.Regexp{"role": whole("cache")}, Not: map[string]*regexp.Regexp{"zone": whole("a|b")}, Ignore: true, Reason: "takes what there is"},
		{Resource: "filesystem", Match: map[string]*regexp.Regexp{"instance": whole("old")}, Clear: 0.5, Reason: "was full", Until: now.UnixMilli()},
	}
	fs := &capacity.Resource{Name: "filesystem", Per: []string{"instance", "mountpoint"}}
	usages := []figures.Usage{{Resource: fs, Labels: map[string]string{"instance": "db", "mountpoint": "/"}, Used: 99, Limit: 100}}
	for i := range shownInstances + 2 {
		usages = append(usages, figures.Usage{Resource: fs, Exception: &all[0], Labels: map[string]string{"instance": fmt.Sprint("log-", i), "mountpoint": "/var/log"}, Used: float64(i), Limit: 100})
	}
	usages = append(usages, figures.Usage{Resource: &capacity.Resource{Name: "memory", Per: []string{"instance"}}, Exception: &all[1], Labels: map[string]string{"instance": "cache-1"}, Used: 3, Limit: 4})
	for lang, want := range map[string][]string{
		"en": {
			"filesystem [customer = acme mountpoint = /var/log.*]: warning 90.0%, critical 95.0%; until 2026-11-26 13:00:00 UTC, ended false; 10: log-9 /var/log 9.0%, 2 more",
			"memory [role = cache zone ≠ a|b]: none; until , ended false; 1: cache-1 75.0%, 0 more",
			"filesystem [instance = old]: clear 50.0%; until 2026-11-26 12:00:00 UTC, ended true; 0: , 0 more",
		},
		"zh-CN": {
			"filesystem [customer = acme mountpoint = /var/log.*]: 预警 90.0%, 严重 95.0%; until 2026-11-26 13:00:00 UTC, ended false; 10: log-9 /var/log 9.0%, 2 more",
			"memory [role = cache zone ≠ a|b]: 不设阈值; until , ended false; 1: cache-1 75.0%, 0 more",
			"filesystem [instance = old]: 解除 50.0%; until 2026-11-26 12:00:00 UTC, ended true; 0: , 0 more",
		},
	} {
		v := &visit{Book: shelf[lang], AsOf: now, Zone: time.UTC}
		for i, row := range v.exceptionRows(all, usages) {
			until, first := "", ""
			if row.Until != nil {
				until = row.Until.Text
			}
			if len(row.Instances) > 0 {
				first = row.Instances[0].Host + " " + row.Instances[0].Text
			}
			got := fmt.Sprintf("%s %v: %s; until %s, ended %v; %d: %s, %d more", row.Resource, row.Which, row.Thresholds, until, row.Ended, row.Count, first, row.More)
			if got = strings.ReplaceAll(got, "\u00a0", ""); got != want[i] {
				t.Errorf("%s\ngot  %s\nwant %s", lang, got, want[i])
			}
			if len(row.Instances) > shownInstances {
				t.Errorf("%d instances are named", len(row.Instances))
			}
		}
	}
}
