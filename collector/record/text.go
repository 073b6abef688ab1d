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
	what, share := f.where(), Percent(f.Used/f.Capacity)
	title = Text{
		English: clip(fmt.Sprintf("%s of %s is at %s, above its %s threshold of %s", f.Resource, what, share, f.level("warning", "critical"), Percent(f.Threshold))),
		Chinese: clip(fmt.Sprintf("%s 的 %s 使用率 %s，超过%s阈值 %s", what, f.chinese(), share, f.level("警告", "严重"), Percent(f.Threshold))),
	}
	detail = Text{
		English: fmt.Sprintf("%s of %s used of %s (%s), at or above %s since %s and for longer than %s. Judged at %s.",
			Quantity(f.Used, f.Unit), f.Resource, Quantity(f.Capacity, f.Unit), share, Percent(f.Threshold), instant(f.Since), span(f.Hold), instant(f.At)),
		Chinese: fmt.Sprintf("%s 已用 %s，总量 %s（%s）；自 %s 起达到或超过 %s，已持续超过 %s。判定时间：%s。",
			f.chinese(), Quantity(f.Used, f.Unit), Quantity(f.Capacity, f.Unit), share, instant(f.Since), Percent(f.Threshold), span(f.Hold), instant(f.At)),
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

func (f Finding) level(warning, critical string) string {
	if f.Critical {
		return critical
	}
	return warning
}

// chinese is the name of a shipped resource in Chinese; any other is as given.
func (f Finding) chinese() string {
	switch f.Resource {
	case "cpu":
		return "CPU"
	case "memory":
		return "内存"
	case "filesystem":
		return "文件系统"
	}
	return f.Resource
}

// where is the component and its labels: db-1 /data.
func (f Finding) where() string {
	parts := []string{f.Component}
	for _, l := range f.Labels {
		if l[1] != "" {
			parts = append(parts, l[1])
		}
	}
	return strings.Join(parts, " ")
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

func instant(t time.Time) string { return t.Format("2006-01-02 15:04:05 -07:00") }

// span prints a duration without its empty parts: 15m, 1h30m.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
