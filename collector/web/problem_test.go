package web

import (
	"context"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/words"
)

// oneProblem is a store of one record and one host.
type oneProblem struct {
	Store
	r    record.Record
	host ledger.Host
}

func (s oneProblem) Records(context.Context, ledger.RecordFilter) ([]record.Record, error) {
	return []record.Record{s.r}, nil
}

func (s oneProblem) Hosts(context.Context) ([]ledger.Host, error) {
	return []ledger.Host{s.host}, nil
}

// TestCondition: what is said of a record in both languages, and whether it is
// among what is wrong now. Minutes are before now; 0: never.
func TestCondition(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	ago := func(minutes int) int64 {
		if minutes == 0 {
			return 0
		}
		return now.Add(-time.Duration(minutes) * time.Minute).UnixMilli()
	}
	for _, c := range []struct {
		name                         string
		recovered, unmeasured, heard int
		english, chinese             string
		wrong                        bool
	}{
		{"stands", 0, 0, 1, "still above the threshold", "仍超过阈值", true},
		{"host slow to deliver", 0, 0, 4, "still above the threshold", "仍超过阈值", true},
		{"recovered", 2, 0, 1, "recovered 2026-11-25 02:58:00 UTC", "已于 2026-11-25 02:58:00 UTC 恢复", false},
		{"unmounted", 0, 30, 1, "not measured since 2026-11-25 02:30:00 UTC", "自 2026-11-25 02:30:00 UTC 起未被测量", false},
		{"host silent", 0, 0, 20, "unknown: its host is silent since 2026-11-25 02:40:00 UTC", "未知：所在主机自 2026-11-25 02:40:00 UTC 起无数据", false},
		{"unmounted, then silent", 0, 30, 20, "not measured since 2026-11-25 02:30:00 UTC", "自 2026-11-25 02:30:00 UTC 起未被测量", false},
		{"no agent there", 0, 0, 0, "still above the threshold", "仍超过阈值", true},
	} {
		r := record.Record{No: "PRB-2026-000001", Origin: record.Threshold, State: record.New, Components: []string{"vm"}, DetectedAt: ago(60),
			FirstSeen: ago(75), Recovered: ago(c.recovered), Unmeasured: ago(c.unmeasured)}
		s := &Site{Options: Options{Store: oneProblem{r: r, host: ledger.Host{Instance: "vm", LastSeen: ago(c.heard)}}}}
		for lang, want := range map[string]string{"en": c.english, "zh-CN": c.chinese} {
			v := &visit{Book: shelf[lang], AsOf: now, Zone: time.UTC}
			rows, err := s.problemRows(t.Context(), v, func(*record.Record) bool { return true })
			if err != nil || len(rows) != 1 || rows[0].Condition != want {
				t.Errorf("%s in %s: got %+v %v, want %q", c.name, lang, rows, err, want)
			}
			wrong, err := s.causes(t.Context(), v, figures.States{})
			if err != nil || (len(wrong) == 1) != c.wrong {
				t.Errorf("%s: wrong now %+v %v, want %v", c.name, wrong, err, c.wrong)
			}
		}
	}
}

// TestChartFrom: the chart shows what there is, at least five minutes and at
// most an hour.
func TestChartFrom(t *testing.T) {
	at := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC).UnixMilli()
	for _, c := range []struct {
		first int64 // seconds before the evidence; -1: no values
		want  int64 // minutes before it
	}{{-1, 5}, {0, 5}, {30, 5}, {300, 5}, {600, 10}, {3600, 60}, {7200, 60}} {
		e := record.Evidence{At: at}
		if c.first >= 0 {
			e.Points = []record.Point{{T: at - c.first*1000, V: 1}, {T: at, V: 1}}
		}
		if got := (at - chartFrom(&e)) / 60_000; got != c.want {
			t.Errorf("values from %d s before: the chart begins %d min before, want %d", c.first, got, c.want)
		}
	}
}
