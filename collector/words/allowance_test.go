package words

import (
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// TestAllowance: 99.9 % of the 31 days of October leaves 44.64 min, cut off.
func TestAllowance(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	const head = "components: [{name: a}]\nservices: [{name: s, needs: a}]\ncalendars: {office: {week: {mon-fri: [\"09:00-17:00\"]}}}\nagreements:\n  - {number: SLA-1, service: s, zone: Asia/Shanghai, "
	for _, row := range []struct{ agreed, en, zh string }{
		{"planned: {notice: 24h, cap: 8h/month}, indicators: [{name: availability, target: 99.9%}]}",
			"SLA-1: 44 min in October 2026, planned work up to 8 h a month if approved 24 h before", "SLA-1：2026年10月允许中断 44 min，计划维护每月不超过 8 h，须提前 24 h 批准"},
		{"calendar: office, indicators: [{name: availability, target: 99.9%}]}", // 22 days of 8 h: 10.56 min
			"SLA-1: 10 min in October 2026, planned work without a limit if approved before", "SLA-1：2026年10月允许中断 10 min，计划维护不限时长，须事先批准"},
		{"effective: {from: 2026-10-31}, indicators: [{name: availability, target: 99.95%}]}", // one day: 43.2 s
			"SLA-1: 43 s in October 2026, planned work without a limit if approved before", "SLA-1：2026年10月允许中断 43 s，计划维护不限时长，须事先批准"},
		{"policies: {planned: down}, indicators: [{name: availability, target: 90%}]}",
			"SLA-1: 74 h 24 min in October 2026, planned work counts as any other", "SLA-1：2026年10月允许中断 74 h 24 min，计划维护与其他时间同样计算"},
		{"planned: {cap: 90m/quarter}}",
			"SLA-1: no target of availability in October 2026, planned work up to 1 h 30 min a quarter if approved before", "SLA-1：2026年10月没有可用性目标，计划维护每季度不超过 1 h 30 min，须事先批准"},
	} {
		c, faults := catalogue.Parse("c.yaml", []byte(head+row.agreed))
		if len(faults) > 0 {
			t.Errorf("%s: %v", row.agreed, faults)
			continue
		}
		at := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC).UnixMilli()
		for lang, want := range map[string]string{"en": row.en, "zh-CN": row.zh} {
			got, err := shelf[lang].Allowance(c.Availability, &c.Availability.Agreements[0], at)
			if err != nil || got != want {
				t.Errorf("%s:\n got  %s (%v)\n want %s", row.agreed, got, err, want)
			}
		}
	}
}
