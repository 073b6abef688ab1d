package maintenance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/words"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestRecurKeepsTheWallClock: the begins of a rule, in UTC, across changes of clocks.
func TestRecurKeepsTheWallClock(t *testing.T) {
	for _, c := range []struct{ name, zone, from, rule, want string }{
		{"daily over the spring change", "Europe/Paris", "2026-03-28 02:30", "FREQ=DAILY;COUNT=3",
			"03-28T01:30 03-29T01:30 03-30T00:30"}, // 02:30 is left out on the 29th: read with the offset before, 03:30 on the clock
		{"daily over the autumn change", "Europe/Paris", "2026-10-24 02:30", "FREQ=DAILY;COUNT=3",
			"10-24T00:30 10-25T00:30 10-26T01:30"}, // 02:30 comes twice on the 25th: the first one
		{"weekly at 22:00 stays at 22:00", "America/New_York", "2026-10-31 22:00", "FREQ=WEEKLY;COUNT=2", "11-01T02:00 11-08T03:00"},
		{"no change of clocks", "Asia/Shanghai", "2026-11-28 22:00", "FREQ=MONTHLY;BYDAY=4SA;COUNT=3", "11-28T14:00 12-26T14:00 01-23T14:00"},
		{"half an hour of change", "Australia/Lord_Howe", "2026-10-03 02:15", "FREQ=DAILY;COUNT=3", "10-02T15:45 10-03T15:45 10-04T15:15"}, // clocks skip 02:00 to 02:30 on the 4th
		{"a date as the end is included", "Asia/Shanghai", "2026-11-28 22:00", "FREQ=DAILY;UNTIL=20261129", "11-28T14:00 11-29T14:00"},
		{"a local end", "Asia/Shanghai", "2026-11-28 22:00", "FREQ=DAILY;UNTIL=20261129T215959", "11-28T14:00"},
		{"an end in UTC", "Asia/Shanghai", "2026-11-28 22:00", "FREQ=DAILY;UNTIL=20261129T140000Z", "11-28T14:00 11-29T14:00"},
		{"the last Friday", "UTC", "2026-11-27 20:00", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "11-27T20:00 12-25T20:00 01-29T20:00"},
		{"the 31st only where there is one", "UTC", "2026-01-31 20:00", "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", "01-31T20:00 03-31T20:00 05-31T20:00"},
		{"lower case is read", "UTC", "2026-11-27 20:00", "freq=daily;count=1", "11-27T20:00"},
	} {
		from, err := time.ParseInLocation("2006-01-02 15:04", c.from, zone(t, c.zone))
		if err != nil {
			t.Fatal(err)
		}
		begins, err := recur(c.rule, from)
		var got []string
		for _, at := range begins {
			got = append(got, time.UnixMilli(at).UTC().Format("01-02T15:04"))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %s (%v), want %s", c.name, strings.Join(got, " "), err, c.want)
		}
	}
}

func TestRecurRefuses(t *testing.T) {
	saturday := time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC)
	for rule, want := range map[string]string{
		"FREQ=WEEKLY":                                  "refused.rule.endless",
		"FREQ=HOURLY;COUNT=3":                          "refused.rule.frequency",
		"FREQ=DAILY;BYHOUR=3;COUNT=3":                  "refused.rule.frequency",
		"FREQ=WEEKLY;BYDAY=SU;COUNT=3":                 "refused.rule.first",
		"FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=2": "refused.rule.first", // there is no such day
		"FREQ=DAILY;UNTIL=20400101":                    "refused.rule.far",
		"FREQ=DAILY;COUNT=5000":                        "refused.rule.many",
		"FREQ=DAILY;UNTIL=soon":                        "refused.rule",
		"FREQ=SOMETIMES;COUNT=2":                       "refused.rule",
		"every Saturday":                               "refused.rule",
		"FREQ=DAILY;INTERVAL=-1;COUNT=2":               "refused.rule",
		"FREQ=DAILY;COUNT=2;DTSTART=20261128":          "refused.rule.frequency",
	} {
		_, err := recur(rule, saturday)
		var refusal *words.Refusal
		if !errors.As(err, &refusal) || refusal.Key != want {
			t.Errorf("%s: got %v, want %s", rule, err, want)
		}
	}
}

// FuzzRecur: any rule is refused or gives ordered begins from the first window on.
func FuzzRecur(f *testing.F) {
	for _, rule := range []string{"FREQ=MONTHLY;BYDAY=2SA;UNTIL=20271231", "FREQ=YEARLY;BYWEEKNO=53;COUNT=9", "FREQ=DAILY;BYSETPOS=-1;BYDAY=MO,TU;COUNT=4", "FREQ=WEEKLY;INTERVAL=0;COUNT=1"} {
		f.Add(rule, int64(1_795_874_400_000))
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, rule string, at int64) {
		begin := time.UnixMilli(at % (4 << 40)).In(berlin)
		out, err := recur(rule, begin)
		if err != nil {
			return
		}
		if out[0] != begin.UnixMilli() || len(out) > maxWindows {
			t.Fatalf("%q from %s: %d windows, the first %d", rule, begin, len(out), out[0])
		}
		for i := 1; i < len(out); i++ {
			if out[i] < out[i-1] {
				t.Fatalf("%q from %s: window %d begins before the one before it", rule, begin, i)
			}
		}
	})
}
