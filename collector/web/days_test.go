package web

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestDayCell: a day is as red as what counted of it; what did not count is said
// beside.
func TestDayCell(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	const hour = 3_600_000
	begin := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	times := func(up, degraded, down, unknown int64) (in [4]int64) {
		in[availability.Up], in[availability.Degraded], in[availability.Down], in[availability.Unknown] = up*hour, degraded*hour, down*hour, unknown*hour
		return in
	}
	always := availability.Span{From: -1 << 62, To: 1 << 62}
	for _, row := range []struct {
		what             string
		counted, outside [4]int64
		life             availability.Span
		asOf             time.Time
		state, en, zh    string
	}{
		{what: "all day up", counted: times(24, 0, 0, 0), state: "up", en: "up 1 d", zh: "正常 1 天"},
		{what: "down in agreed time", counted: times(8, 0, 2, 0), outside: times(14, 0, 0, 0), state: "down", en: "up 8 h, down 2 h", zh: "正常 8 小时, 中断 2 小时"},
		{what: "down at night", counted: times(10, 0, 0, 0), outside: times(13, 0, 1, 0), state: "up", en: "up 10 h; beside that, not counted, down 1 h", zh: "正常 10 小时；此外不计入：中断 1 小时"},
		{what: "down on a Sunday", outside: times(20, 0, 4, 0), state: "", en: "not agreed time; beside that, not counted, down 4 h", zh: "非约定时间；此外不计入：中断 4 小时"},
		{what: "silent at night", counted: times(10, 0, 0, 0), outside: times(4, 0, 0, 10), state: "up", en: "up 10 h", zh: "正常 10 小时"},
		{what: "nothing known", counted: times(0, 0, 0, 24), state: "unknown", en: "unknown 1 d", zh: "状态未知 1 天"},
		{what: "before it existed", life: availability.Span{From: begin.UnixMilli() + 24*hour, To: 1 << 62}, state: "", en: "before or after it existed", zh: "服务尚未投入或已停用"},
		{what: "to come", asOf: begin.Add(-time.Hour), state: "", en: "still to come", zh: "尚未到来"},
	} {
		for lang, want := range map[string]string{"en": row.en, "zh-CN": row.zh} {
			v := &visit{Book: shelf[lang], AsOf: begin.AddDate(0, 0, 3), Zone: time.UTC}
			if !row.asOf.IsZero() {
				v.AsOf = row.asOf
			}
			life := row.life
			if life == (availability.Span{}) {
				life = always
			}
			cell := v.dayCell(availability.Day{Counted: row.counted, Outside: row.outside}, life, begin, begin.AddDate(0, 0, 1))
			_, text, _ := strings.Cut(strings.ReplaceAll(cell.Title, "：", ": "), "2026-11-09: ")
			if text = strings.ReplaceAll(text, "\u00a0", " "); cell.State != row.state || text != strings.ReplaceAll(want, "：", ": ") {
				t.Errorf("%s in %s: %q, %q; want %q, %q", row.what, lang, cell.State, text, row.state, want)
			}
		}
	}
}
