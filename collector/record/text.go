package record

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Finding is what a threshold breach is told from.
type Finding struct {
	Resource  string      // name of the resource, for instance filesystem
	Component string      // what it belongs to, usually a host
	Labels    [][2]string // the rest of its identity, for instance mountpoint
	Critical  bool        // the critical threshold, else the warning one
	Used      float64     // in Unit
	Capacity  float64     // in Unit
	Unit      string      // bytes, cores, … ; empty for a plain number
	Threshold float64     // share of Capacity, 0..1
	Hold      time.Duration
	Since, At time.Time // their location is the zone that is printed
}

// Opening words the title (at most 160 characters) and the description of a
// problem that a threshold opened.
func (f Finding) Opening() (title, detail Text) {
	what, share := f.subject(), Percent(f.Used/f.Capacity)
	title = Text{
		English: clip(fmt.Sprintf("%s is at %s, above its %s threshold of %s", what.English, share, f.level("warning", "critical"), Percent(f.Threshold))),
		Chinese: clip(fmt.Sprintf("%s 使用率 %s，超过%s阈值 %s", what.Chinese, share, f.level("警告", "严重"), Percent(f.Threshold))),
	}
	hold := span(f.Hold)
	detail = Text{
		English: fmt.Sprintf("%s used of %s (%s), at or above %s since %s and for longer than %s. Judged at %s.",
			Quantity(f.Used, f.Unit), Quantity(f.Capacity, f.Unit), share, Percent(f.Threshold), instant(f.Since), hold.English, instant(f.At)),
		Chinese: fmt.Sprintf("已用 %s，总量 %s（%s）；自 %s 起达到或超过 %s，已持续超过 %s。判定时间：%s。",
			Quantity(f.Used, f.Unit), Quantity(f.Capacity, f.Unit), share, instant(f.Since), Percent(f.Threshold), hold.Chinese, instant(f.At)),
	}
	return title, detail
}

// Repeats words the amendment of a problem whose breach came again.
func (f Finding) Repeats() Text {
	share := Percent(f.Used / f.Capacity)
	return Text{
		English: fmt.Sprintf("breached again: %s, at or above %s since %s", share, Percent(f.Threshold), instant(f.Since)),
		Chinese: fmt.Sprintf("再次超限：%s，自 %s 起达到或超过 %s", share, instant(f.Since), Percent(f.Threshold)),
	}
}

// Escalates words the amendment of a problem that went from warning to critical.
func (f Finding) Escalates() Text {
	share := Percent(f.Used / f.Capacity)
	return Text{
		English: fmt.Sprintf("now above the critical threshold: %s, at or above %s since %s", share, Percent(f.Threshold), instant(f.Since)),
		Chinese: fmt.Sprintf("已超过严重阈值：%s，自 %s 起达到或超过 %s", share, instant(f.Since), Percent(f.Threshold)),
	}
}

// Recovers words the note that a breach is over; Threshold is the one it had
// to stay below. The record stays open.
func (f Finding) Recovers() Text {
	share := Percent(f.Used / f.Capacity)
	return Text{
		English: fmt.Sprintf("recovered: %s, below %s since %s; the problem stays open until a person closes it", share, Percent(f.Threshold), instant(f.Since)),
		Chinese: fmt.Sprintf("已恢复：%s，自 %s 起低于 %s；问题保持打开，由人员关闭", share, instant(f.Since), Percent(f.Threshold)),
	}
}

// Vanishes words the note that a breach is no longer measured since Since,
// which is not the same as over.
func (f Finding) Vanishes() Text {
	share := Percent(f.Used / f.Capacity)
	return Text{
		English: fmt.Sprintf("no longer measured: no value since %s, the last was %s; this is not a recovery, the problem stays open until a person closes it", instant(f.Since), share),
		Chinese: fmt.Sprintf("不再被测量：自 %s 起没有数值，最后为 %s；这不表示已恢复，问题保持打开，由人员关闭", instant(f.Since), share),
	}
}

// Returns words the note that values came back, not below the clear threshold.
func (f Finding) Returns() Text {
	share := Percent(f.Used / f.Capacity)
	return Text{
		English: fmt.Sprintf("measured again since %s: %s, not below %s; the same breach goes on", instant(f.Since), share, Percent(f.Threshold)),
		Chinese: fmt.Sprintf("自 %s 起重新被测量：%s，未低于 %s；仍为同一次超限", instant(f.Since), share, Percent(f.Threshold)),
	}
}

func (f Finding) level(warning, critical string) string {
	if f.Critical {
		return critical
	}
	return warning
}

// subject is what the finding is about: filesystem /data on db-1.
func (f Finding) subject() Text {
	rest := ""
	for _, l := range f.Labels {
		if l[1] != "" {
			rest += " " + l[1]
		}
	}
	// The resources a host has without being told have a Chinese name; one
	// from a catalogue is called what its owner calls it.
	name := " " + f.Resource
	switch f.Resource {
	case "filesystem":
		name = "文件系统"
	case "memory":
		name = "内存"
	case "cpu":
		name = " CPU"
	}
	return Text{English: f.Resource + rest + " on " + f.Component, Chinese: f.Component + " 上的" + name + rest}
}

// clip keeps a title within 160 characters.
func clip(s string) string {
	r := []rune(s)
	if len(r) <= 160 {
		return s
	}
	return string(r[:159]) + "…"
}

// Percent prints a share with one decimal, truncated: 0.8999 is 89.9 %, never 90 %.
func Percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return "–"
	}
	// The small addend takes back what a binary fraction lost: 0.29 is 29 %.
	tenths := math.Floor(share*1000 + 1e-9)
	return strings.TrimSuffix(strconv.FormatFloat(tenths/10, 'f', 1, 64), ".0") + " %"
}

// Quantity prints a value in its unit: bytes with a binary prefix, anything
// else with at most three decimals.
func Quantity(v float64, unit string) string {
	if unit != "bytes" {
		return strings.TrimSpace(strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".") + " " + unit)
	}
	prefixes := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for i < len(prefixes)-1 && math.Abs(v) >= 1024 {
		v /= 1024
		i++
	}
	decimals := 1
	if i == 0 {
		decimals = 0
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + prefixes[i]
}

// instant prints t as the pages do (words.Instant): with seconds and its zone
// as the offset, UTC where there is none.
func instant(t time.Time) string {
	if _, offset := t.Zone(); offset == 0 {
		return t.Format("2006-01-02 15:04:05") + " UTC"
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

// span prints a duration of whole seconds as the pages do (words.Book): its
// two largest units, cut off: 15 min, 1 h 30 min.
func span(d time.Duration) Text {
	units := [...]struct {
		d      time.Duration
		en, zh string
	}{{24 * time.Hour, "d", "天"}, {time.Hour, "h", "小时"}, {time.Minute, "min", "分"}, {time.Second, "s", "秒"}}
	i := 0
	for i < len(units)-1 && d < units[i].d {
		i++
	}
	n := int64(d / units[i].d)
	text := Text{English: fmt.Sprint(n, " ", units[i].en), Chinese: fmt.Sprint(n, " ", units[i].zh)}
	if i+1 < len(units) {
		if rest := int64(d % units[i].d / units[i+1].d); rest > 0 {
			text.English += fmt.Sprint(" ", rest, " ", units[i+1].en)
			text.Chinese += fmt.Sprint(" ", rest, " ", units[i+1].zh)
		}
	}
	return text
}
